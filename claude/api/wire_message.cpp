// Builds a completion from JSON or from events. Unknown blocks, deltas, events and fields are skipped.

#include "claude/api/wire_message.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::claude {

using nlohmann::json;

void usage_reader::count(const json& holder, const char* key, std::optional<uint64_t>& target) {
  const auto& value = member(holder, key);
  if (value.is_null()) return;
  if (!value.is_number_integer() || value < 0 || value.get<uint64_t>() > most_) {
    absurd_ = true;
    return;
  }
  target = std::max(target.value_or(0), value.get<uint64_t>());
}

void usage_reader::merge(const json& usage) {
  count(usage, "input_tokens", input_);
  count(usage, "output_tokens", output_);
  count(usage, "cache_creation_input_tokens", written_);
  count(usage, "cache_read_input_tokens", read_);
  const auto& breakdown = member(usage, "cache_creation");
  count(breakdown, "ephemeral_5m_input_tokens", written_5m_);
  count(breakdown, "ephemeral_1h_input_tokens", written_1h_);
  const auto tier = text_at(usage, "service_tier");
  if (tier == "standard") tier_ = service_tier::standard;
  if (tier == "priority") tier_ = service_tier::priority;
  if (tier == "batch") tier_ = service_tier::batch;
  if (text_at(usage, "inference_geo") == "us") us_ = true;
}

token_usage usage_reader::result(cache_mode cache) const {
  token_usage usage;
  usage.tier = service_tier::as_reserved;
  if (absurd_ || !input_ || !output_) return usage;
  usage.input_tokens = *input_;
  usage.output_tokens = *output_;
  usage.cache_read_tokens = read_.value_or(0);
  usage.cache_write_5m_tokens = written_5m_.value_or(0);
  usage.cache_write_1h_tokens = written_1h_.value_or(0);
  // Tokens that the breakdown leaves out are billed for the cache that was asked for.
  const auto broken_down = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens;
  const auto rest = written_.value_or(0) > broken_down ? *written_ - broken_down : 0;
  (cache == cache_mode::one_hour ? usage.cache_write_1h_tokens : usage.cache_write_5m_tokens) += rest;
  usage.tier = tier_;
  usage.us_inference = us_;
  return usage;
}

stop_reason stop_reason_from(const json& value) {
  if (!value.is_string()) return stop_reason::unknown;
  const auto& name = value.get_ref<const std::string&>();
  if (name == "end_turn") return stop_reason::end_turn;
  if (name == "max_tokens") return stop_reason::max_tokens;
  if (name == "stop_sequence") return stop_reason::stop_sequence;
  if (name == "tool_use") return stop_reason::tool_use;
  if (name == "pause_turn") return stop_reason::pause_turn;
  if (name == "refusal") return stop_reason::refusal;
  if (name == "model_context_window_exceeded") return stop_reason::context_window_exceeded;
  return stop_reason::unknown;
}

namespace {

std::string text_of(const json& content) {
  std::string text;
  for (const auto& block : content)
    if (text_at(block, "type") == "text") text += text_at(block, "text");
  return text;
}

}  // namespace

read_message message_from_json(const json& body, const wire_settings& settings, cache_mode cache) {
  read_message read;
  const auto& content = member(body, "content");
  if (text_at(body, "type") != "message" || !content.is_array()) {
    read.complaint = "it is not a message";
    return read;
  }
  read.whole = true;
  read.message.model = printable(redact(text_at(body, "model")));
  read.message.stop = stop_reason_from(member(body, "stop_reason"));
  read.message.text = text_of(content);
  usage_reader usage{settings.tokens_in_one_answer};
  usage.merge(member(body, "usage"));
  read.message.usage = usage.result(cache);
  return read;
}

bool message_stream::feed(std::string_view bytes) {
  const bool fits = parser_.feed(bytes, [this](auto name, auto data) { handle(name, data); });
  return fits && !overflow_ && text_bytes_ <= settings_.answer_bytes;
}

void message_stream::finish() {
  if (!stopped_) parser_.finish([this](auto name, auto data) { handle(name, data); });
}

void message_stream::handle(std::string_view name, std::string_view data) {
  if (stopped_ || !error_.empty() || name == "ping") return;
  const auto event = parse_json(data, settings_.json_depth, settings_.json_values);
  const auto type = event ? text_at(*event, "type") : std::string{};
  const std::string_view kind = type.empty() ? name : std::string_view{type};
  if (!event) {
    complaint_ = fmt::format("an event '{}' of the stream is not valid JSON", printable(redact(name)));
  } else if (kind == "message_start") {
    begin(member(*event, "message"));
  } else if (kind == "content_block_start") {
    const auto& block = member(*event, "content_block");
    if (text_at(block, "type") == "text") append(*event, text_at(block, "text"));
  } else if (kind == "content_block_delta") {
    const auto& delta = member(*event, "delta");
    if (text_at(delta, "type") == "text_delta") append(*event, text_at(delta, "text"));
  } else if (kind == "message_delta") {
    const auto& reason = member(member(*event, "delta"), "stop_reason");
    if (!reason.is_null()) stop_ = stop_reason_from(reason);
    usage_.merge(member(*event, "usage"));
  } else if (kind == "message_stop") {
    stopped_ = true;
  } else if (kind == "error") {
    error_ = data;
  }
}

void message_stream::begin(const json& message) {
  begun_ = true;
  model_ = printable(redact(text_at(message, "model")));
  usage_.merge(member(message, "usage"));
  const auto& reason = member(message, "stop_reason");
  if (!reason.is_null()) stop_ = stop_reason_from(reason);
}

void message_stream::append(const json& event, const std::string& text) {
  const auto& index = member(event, "index");
  const auto number = index.is_number_unsigned() ? index.get<uint64_t>() : 0;
  overflow_ = overflow_ || number >= settings_.content_blocks || (!index.is_null() && !index.is_number_unsigned());
  if (overflow_ || text.empty()) return;
  auto& block = blocks_[number];
  const auto held = block.capacity();
  block += text;
  text_bytes_ += text.size();
  held_bytes_ += block.capacity() - held;
}

read_message message_stream::result() const {
  read_message read;
  read.message.model = model_;
  read.message.stop = stop_;
  for (const auto& [_, text] : blocks_) read.message.text += text;
  read.complaint = !complaint_.empty() ? complaint_
                   : !begun_           ? "the stream never began a message"
                   : !stopped_         ? "the stream ended before the message did"
                                       : "";
  read.whole = read.complaint.empty();
  read.message.usage = usage_.result(cache_);
  return read;
}

}  // namespace cohort::claude
