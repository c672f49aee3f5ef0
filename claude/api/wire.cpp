// Turns the end of an exchange into its outcome: a completion, the answer to a free request, or a failure with a code.

#include "claude/api/wire.hpp"

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "claude/api/wire_message.hpp"

namespace cohort::claude {

namespace {

bool is_success(const http_head& head) noexcept { return head.status >= 200 && head.status < 300; }

std::string shown_id(const http_head& head) { return printable(redact(head.find("request-id"))); }

/// A 200 without a whole message. The request was processed, so it can be on the bill.
call_failure unusable(const http_end& end, read_message read, wall_time now) {
  const bool cut = end.code != ec::none;
  call_failure failure;
  failure.code = cut ? end.code : ec::malformed_answer;
  failure.http_status = end.head.status;
  failure.request_id = shown_id(end.head);
  failure.message =
      cut ? end.message : fmt::format("HTTP {}: the answer cannot be used: {}", end.head.status, read.complaint);
  failure.retry_after = decode_retry_after(end.head, now);
  failure.billed = billing::unknown;
  failure.text = redact(read.message.text);
  failure.retry = retryable(failure.code);
  const auto retry_header = end.head.find("x-should-retry");
  if (retry_header == "true" || retry_header == "false") failure.retry = retry_header == "true";
  return failure;
}

completion_result result_of(const http_end& end, read_message read, wall_time now) {
  if (!read.whole) return tl::unexpected(unusable(end, std::move(read), now));
  read.message.request_id = shown_id(end.head);
  read.message.text = redact(read.message.text);  // A server knows the key, and may write it into a test.
  return std::move(read.message);
}

call_failure malformed(const http_end& end, std::string complaint, wall_time now) {
  read_message nothing;
  nothing.complaint = std::move(complaint);
  auto failure = unusable(end, std::move(nothing), now);
  failure.billed = billing::unbilled;  // Only used for requests that are free.
  return failure;
}

/// The JSON of a free request's answer, or its failure.
tl::expected<nlohmann::json, call_failure> free_answer(const http_end& end, std::string_view body,
                                                       const wire_settings& settings, wall_time now) {
  if (!is_success(end.head)) {
    auto failure = decode_failure(end, body, settings, now);
    failure.billed = billing::unbilled;
    return tl::unexpected(std::move(failure));
  }
  auto root = parse_json(body, settings.json_depth, settings.json_values);
  if (!root) return tl::unexpected(malformed(end, "it is not valid JSON", now));
  return std::move(*root);
}

bool looks_like_events(std::string_view body) {
  return body.substr(0, 6) == "event:" || body.substr(0, 5) == "data:" || body.substr(0, 1) == ":";
}

}  // namespace

reader_demand body_reader::feed(const http_head&, std::string_view bytes) {
  if (body_.size() + bytes.size() > limit_) return reader_demand::refuse;
  body_ += bytes;
  return reader_demand::more;
}

answer_reader::answer_reader(const wire_settings& settings, cache_mode cache) : settings_(settings), cache_(cache) {}

answer_reader::~answer_reader() = default;

uint64_t answer_reader::buffered() const noexcept { return body_.capacity() + (stream_ ? stream_->buffered() : 0); }

void answer_reader::discard() noexcept {
  std::string{}.swap(body_);  // An assignment would keep the memory.
  stream_.reset();
}

reader_demand answer_reader::feed(const http_head& head, std::string_view bytes) {
  if (!stream_ && received_ == 0 && is_success(head) && head.find("content-type").substr(0, 17) == "text/event-stream")
    stream_ = std::make_unique<message_stream>(settings_, cache_);
  received_ += bytes.size();
  if (!is_success(head)) {  // The status alone says what to do; the beginning of the body says why.
    body_ += bytes.substr(0, settings_.error_bytes - std::min<uint64_t>(settings_.error_bytes, body_.size()));
    return received_ > settings_.error_bytes ? reader_demand::complete : reader_demand::more;
  }
  if (!stream_) {
    if (received_ > settings_.answer_bytes) {
      std::string{}.swap(body_);  // A body that is cut off somewhere holds nothing that could be read.
      return reader_demand::refuse;
    }
    body_ += bytes;
    return reader_demand::more;
  }
  // Events carry their text in pieces of some bytes each, so that a stream is longer than its text, but not without
  // end.
  constexpr uint64_t most_overhead = 4;
  if (!stream_->feed(bytes) || received_ > settings_.answer_bytes * most_overhead) return reader_demand::refuse;
  return stream_->stopped() || !stream_->error_event().empty() ? reader_demand::complete : reader_demand::more;
}

completion_result answer_reader::finish(const http_end& end, wall_time now) {
  if (!is_success(end.head)) return tl::unexpected(decode_failure(end, body_, settings_, now));
  if (!stream_ && looks_like_events(body_)) {
    stream_ = std::make_unique<message_stream>(settings_, cache_);
    (void)stream_->feed(body_);  // The size of the body was checked already.
  }
  return stream_ ? finish_stream(end, now) : finish_json(end, now);
}

completion_result answer_reader::finish_stream(const http_end& end, wall_time now) {
  stream_->finish();
  auto read = stream_->result();
  if (read.whole || stream_->error_event().empty()) return result_of(end, std::move(read), now);
  auto failure = decode_failure(end, stream_->error_event(), settings_, now);
  failure.text = redact(read.message.text);
  return tl::unexpected(std::move(failure));
}

completion_result answer_reader::finish_json(const http_end& end, wall_time now) {
  auto root = parse_json(body_, settings_.json_depth, settings_.json_values);
  if (root && text_at(*root, "type") == "error") return tl::unexpected(decode_failure(end, body_, settings_, now));
  if (root) return result_of(end, message_from_json(*root, settings_, cache_), now);
  read_message read;
  if (!is_utf8(body_)) root = parse_json(to_valid_utf8(body_), settings_.json_depth, settings_.json_values);
  if (root) read.message.text = message_from_json(*root, settings_, cache_).message.text;
  read.complaint = root ? "it is not valid UTF-8" : "it is not valid JSON, cut off, or nested too deeply";
  return tl::unexpected(unusable(end, std::move(read), now));
}

tl::expected<uint64_t, call_failure> decode_token_count(const http_end& end, std::string_view body,
                                                        const wire_settings& settings, wall_time now) {
  const auto root = free_answer(end, body, settings, now);
  if (!root) return tl::unexpected(root.error());
  const auto& count = member(*root, "input_tokens");
  if (!count.is_number_integer() || count < 0 || count > settings.tokens_in_one_answer)
    return tl::unexpected(malformed(end, "it holds no token count", now));
  return count.get<uint64_t>();
}

tl::expected<model_facts, call_failure> decode_model(const http_end& end, std::string_view body,
                                                     const wire_settings& settings, wall_time now) {
  const auto root = free_answer(end, body, settings, now);
  if (!root) return tl::unexpected(root.error());
  const auto number = [&](const char* key) -> uint64_t {
    const auto& value = member(*root, key);
    return value.is_number_integer() && value >= 0 ? value.get<uint64_t>() : 0;
  };
  model_facts facts{text_at(*root, "id"), number("max_input_tokens"), number("max_tokens"),
                    text_at(*root, "retires_at")};
  if (facts.id.empty()) return tl::unexpected(malformed(end, "it names no model", now));
  return facts;
}

}  // namespace cohort::claude
