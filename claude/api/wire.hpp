// Writes and reads the Messages API's JSON. Values only: nothing here knows a socket.
// Invariant: only a whole, well-formed message becomes a completion. A 200 with anything less is a failure that may
// have been billed, and its readable text is kept. Nothing that a server sends is held beyond its bound.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "claude/api/http.hpp"
#include "claude/api/settings.hpp"
#include "messages/request.hpp"

namespace cohort::claude {

using completion_result = tl::expected<completion, call_failure>;

/// One of the provider's buckets, from `anthropic-ratelimit-<kind>-*`.
struct rate_limit_window {
  bool known = false;  ///< `limit` and `remaining` were both present and readable.
  uint64_t limit = 0;  ///< In a minute.
  uint64_t remaining = 0;
  wall_time reset;  ///< When the bucket is full again; 0 if not given.
};

struct rate_limit_headers {
  rate_limit_window requests;
  rate_limit_window tokens;
  rate_limit_window input_tokens;
  rate_limit_window output_tokens;
};

/// What `GET /v1/models/{id}` says about a model. It has no prices.
struct model_facts {
  std::string id;
  uint64_t max_input_tokens = 0;   ///< 0 if not given.
  uint64_t max_output_tokens = 0;  ///< 0 if not given.
  std::string retires_at;          ///< Empty if not given.
};

/// True if the answer to `request` is asked for as a stream.
[[nodiscard]] bool is_streamed(const completion_request& request, const wire_settings& settings) noexcept;

/// The body of `POST /v1/messages`. Never holds sampling parameters, metadata or a prefill.
/// `ec::request_invalid` if a text is not UTF-8 or a field is missing, `ec::request_too_large` above the API's bound.
[[nodiscard]] expected<std::string> encode_request(const completion_request& request, const wire_settings& settings);

/// The body of `POST /v1/messages/count_tokens` for the same prompt.
[[nodiscard]] expected<std::string> encode_count_request(const completion_request& request,
                                                         const wire_settings& settings);

/// Why an exchange failed. For a failure status or an error body: code by status, `error.type`, `error_code` and
/// message; `x-should-retry`, `retry-after-ms` and `retry-after` are followed. An error that the API itself formed is
/// unbilled; one that an intermediary may have formed after the API answered (5xx, 408 without the API's body) is not
/// known to be.
[[nodiscard]] call_failure decode_failure(const http_end& end, std::string_view body, const wire_settings& settings,
                                          wall_time now);

[[nodiscard]] rate_limit_headers decode_rate_limits(const http_head& head);

/// How long the provider asks us to wait, or 0.
[[nodiscard]] milliseconds decode_retry_after(const http_head& head, wall_time now);

/// The server's clock by the header `date`, whole seconds; nothing if there is none.
[[nodiscard]] std::optional<wall_time> decode_date(const http_head& head);

[[nodiscard]] tl::expected<uint64_t, call_failure> decode_token_count(const http_end& end, std::string_view body,
                                                                      const wire_settings& settings, wall_time now);
[[nodiscard]] tl::expected<model_facts, call_failure> decode_model(const http_end& end, std::string_view body,
                                                                   const wire_settings& settings, wall_time now);

/// Collects a body up to a bound.
class body_reader : public reply_reader {
 public:
  explicit body_reader(uint64_t limit) : limit_(limit) {}
  [[nodiscard]] reader_demand feed(const http_head& head, std::string_view bytes) override;
  [[nodiscard]] uint64_t buffered() const noexcept override { return body_.capacity(); }
  void discard() noexcept override { std::string{}.swap(body_); }
  [[nodiscard]] const std::string& body() const noexcept { return body_; }

 private:
  uint64_t limit_;
  std::string body_;
};

class message_stream;

/// Reads the answer to a completion request, JSON or SSE, whichever comes.
class answer_reader : public reply_reader {
 public:
  /// `cache` says which cache a write without a breakdown is billed for.
  answer_reader(const wire_settings& settings, cache_mode cache);
  ~answer_reader() override;
  [[nodiscard]] reader_demand feed(const http_head& head, std::string_view bytes) override;
  [[nodiscard]] uint64_t buffered() const noexcept override;
  void discard() noexcept override;

  /// The outcome, once. A message that was whole before the connection failed is still a message.
  [[nodiscard]] completion_result finish(const http_end& end, wall_time now);

 private:
  [[nodiscard]] completion_result finish_stream(const http_end& end, wall_time now);
  [[nodiscard]] completion_result finish_json(const http_end& end, wall_time now);

  wire_settings settings_;
  cache_mode cache_;
  uint64_t received_ = 0;
  std::string body_;
  std::unique_ptr<message_stream> stream_;
};

}  // namespace cohort::claude
