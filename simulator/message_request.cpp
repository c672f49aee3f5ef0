// The checks stand in the order of the documented fields; texts are copied once, into buffers that stay.

#include "simulator/message_request.hpp"

#include <cstring>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "base/text.hpp"

namespace cohort {

namespace {

constexpr uint64_t envelope_tokens = 7;  ///< What the API adds around the texts.
constexpr size_t most_breakpoints = 4;

/// Most prompts are plain ASCII, which is told eight bytes at a time.
bool is_ascii(std::string_view text) noexcept {
  uint64_t seen = 0;
  size_t at = 0;
  for (; at + 8 <= text.size(); at += 8) {
    uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, 8);
    seen |= eight;
  }
  for (; at < text.size(); ++at) seen |= static_cast<unsigned char>(text[at]) & 0x80U;
  return (seen & 0x8080808080808080ULL) == 0;
}

bool refuse(api_problem& problem, std::string message) {
  problem = {400, "invalid_request_error", std::move(message)};
  return false;
}

uint64_t first_eight_bytes(const digest& value) noexcept {
  uint64_t hash = 0;
  for (size_t i = 0; i < 8; ++i) hash = hash << 8 | value.bytes[i];
  return hash;
}

std::optional<json_value> present(const json_value& object, std::string_view key) {
  auto found = object.get(key);
  if (found && found->is(json_kind::null)) return std::nullopt;
  return found;
}

}  // namespace

uint64_t message_request::prompt_tokens() const noexcept { return tokens_of(prompt_bytes) + envelope_tokens; }

bool message_reader::read(std::string_view body, std::string_view version, request_use use, message_request& out,
                          api_problem& problem) {
  if (!is_ascii(body) && !is_utf8(body)) return refuse(problem, "The request body is not valid UTF-8");
  if (!document_.parse(body)) return refuse(problem, "The request body is not valid JSON");
  return read(document_.root(), version, use, out, problem);
}

bool message_reader::read(const json_value& root, std::string_view version, request_use use, message_request& out,
                          api_problem& problem) {
  out.model = nullptr;
  out.max_tokens = 0;
  out.stream = out.us_inference = false;
  out.prompt_bytes = 0;
  out.text.clear();
  out.breakpoints.clear();
  if (!root.is(json_kind::object)) return refuse(problem, "The request body must be a JSON object");
  if (!read_model(root, out, problem) || !read_parameters(root, version, use, out, problem)) return false;
  system_.clear();
  hashed_ = marked_length_ = 0;
  system_pending_ = false;
  chain_ = first_eight_bytes(sha256(out.model->id));
  if (!read_system(root, out, problem)) return false;
  system_hashed_ = hashed_;
  system_pending_ = true;
  hashed_ = 0;
  marked_length_ = system_.size();
  if (!read_messages(root, out, problem)) return false;
  out.prompt_bytes = system_.size() + out.text.size();
  const uint64_t tokens = out.prompt_tokens();
  if (tokens > out.model->context_tokens)
    return refuse(problem,
                  fmt::format("prompt is too long: {} tokens > {} maximum", tokens, out.model->context_tokens));
  return true;
}

bool message_reader::read_model(const json_value& root, message_request& out, api_problem& problem) const {
  const auto model = root.get("model");
  if (!model) return refuse(problem, "model: Field required");
  if (!model->is(json_kind::string)) return refuse(problem, "model: Input should be a valid string");
  out.model = prices_->find(model->raw());
  if (out.model != nullptr) return true;
  problem = {404, "not_found_error", fmt::format("model: {}", to_valid_utf8(model->text()))};
  return false;
}

bool message_reader::read_parameters(const json_value& root, std::string_view version, request_use use,
                                     message_request& out, api_problem& problem) const {
  if (use != request_use::count_tokens) {
    const auto most = root.get("max_tokens");
    if (!most) return refuse(problem, "max_tokens: Field required");
    const auto value = most->integer();
    if (!value) return refuse(problem, "max_tokens: Input should be a valid integer");
    if (*value < 1) return refuse(problem, "max_tokens: Input should be greater than or equal to 1");
    out.max_tokens = static_cast<uint64_t>(*value);
    if (out.max_tokens > out.model->max_output_tokens)
      return refuse(problem,
                    fmt::format("max_tokens: {} > {}, which is the maximum allowed number of output tokens for {}",
                                *value, out.model->max_output_tokens, out.model->id));
  }
  if (const auto stream = present(root, "stream")) {
    if (!stream->is(json_kind::boolean)) return refuse(problem, "stream: Input should be a valid boolean");
    out.stream = stream->is_true();
    if (out.stream && use == request_use::batched) return refuse(problem, "stream: not supported in batches");
  }
  for (const std::string_view key : {"temperature", "top_p", "top_k"}) {
    const auto sampling = present(root, key);
    if (!sampling) continue;
    if (version == "2026-10-21" || !out.model->accepts_sampling)
      return refuse(problem,
                    fmt::format("{}: sampling parameters are not supported by this model or API version", key));
    if (!sampling->is(json_kind::number))
      return refuse(problem, fmt::format("{}: Input should be a valid number", key));
  }
  if (const auto geo = present(root, "inference_geo")) out.us_inference = geo->raw() == "us";
  return true;
}

bool message_reader::read_system(const json_value& root, message_request& out, api_problem& problem) {
  const auto system = present(root, "system");
  return !system || read_content(*system, "system", system_, out, problem);
}

bool message_reader::read_messages(const json_value& root, message_request& out, api_problem& problem) {
  const auto messages = root.get("messages");
  if (!messages) return refuse(problem, "messages: Field required");
  if (!messages->is(json_kind::array)) return refuse(problem, "messages: Input should be a valid list");
  if (!messages->first()) return refuse(problem, "messages: at least one message is required");
  size_t index = 0;
  std::string_view role;
  for (auto message = messages->first(); message; message = message->next(), ++index) {
    const std::string where = fmt::format("messages.{}", index);
    const auto speaker = message->get("role");
    if (!speaker || !speaker->is(json_kind::string)) return refuse(problem, where + ".role: Field required");
    role = speaker->raw();
    if (role != "user" && role != "assistant")
      return refuse(problem, where + ".role: Input should be 'user' or 'assistant'");
    if (index == 0 && role != "user") return refuse(problem, "messages: first message must use the \"user\" role");
    const auto content = message->get("content");
    if (!content) return refuse(problem, where + ".content: Field required");
    const size_t before = out.text.size();
    if (!read_content(*content, where + ".content", out.text, out, problem)) return false;
    if (out.text.size() == before && role == "user")
      return refuse(problem, where + ": user messages must have non-empty content");
  }
  if (role == "assistant" && !out.model->accepts_prefill)
    return refuse(problem,
                  "This model does not support assistant message prefill. "
                  "The conversation must end with a user message.");
  return true;
}

bool message_reader::read_content(const json_value& content, const std::string& where, std::string& text,
                                  message_request& out, api_problem& problem) {
  if (content.is(json_kind::string)) {
    content.append_text(text);
    return true;
  }
  if (!content.is(json_kind::array)) return refuse(problem, where + ": Input should be a valid string or list");
  size_t index = 0;
  for (auto block = content.first(); block; block = block->next(), ++index)
    if (!read_block(*block, fmt::format("{}.{}", where, index), text, out, problem)) return false;
  return true;
}

bool message_reader::read_block(const json_value& block, const std::string& where, std::string& text,
                                message_request& out, api_problem& problem) {
  const auto type = block.get("type");
  if (!type || !type->is(json_kind::string)) return refuse(problem, where + ".type: Field required");
  if (type->raw() == "text") {
    const auto words = block.get("text");
    if (!words || !words->is(json_kind::string))
      return refuse(problem, where + ".text: Input should be a valid string");
    words->append_text(text);
  } else {
    text.append(block.raw());  // counted by its size; the simulator looks into text alone
  }
  const auto control = present(block, "cache_control");
  if (!control) return true;
  const auto kind = control->get("type");
  if (!kind || kind->raw() != "ephemeral")
    return refuse(problem, where + ".cache_control.type: Input should be 'ephemeral'");
  if (const auto ttl = present(*control, "ttl"); ttl && ttl->raw() != "5m" && ttl->raw() != "1h")
    return refuse(problem, where + ".cache_control.ttl: Input should be '5m' or '1h'");
  if (out.breakpoints.size() == most_breakpoints)
    return refuse(problem, "A maximum of 4 blocks with cache_control may be provided");
  mark(*control, text, out);
  return true;
}

void message_reader::mark(const json_value& control, std::string_view text, message_request& out) {
  if (system_pending_) {  // the rest of `system` comes before any mark in the messages
    chain_ =
        first_eight_bytes(sha256_of_fields({std::to_string(chain_), std::string_view{system_}.substr(system_hashed_)}));
    system_pending_ = false;
  }
  chain_ = first_eight_bytes(sha256_of_fields({std::to_string(chain_), text.substr(hashed_)}));
  hashed_ = text.size();
  const auto ttl = present(control, "ttl");
  out.breakpoints.push_back({chain_, tokens_of(marked_length_ + text.size()),
                             ttl && ttl->raw() == "1h" ? cache_ttl::one_hour : cache_ttl::five_minutes});
}

}  // namespace cohort
