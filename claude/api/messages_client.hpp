// Calls the Messages API over the transport: takes a request, gives a completion or a failure with a code.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "claude/api/credentials.hpp"
#include "claude/api/settings.hpp"
#include "claude/api/transport.hpp"
#include "claude/api/wire.hpp"

namespace cohort::claude {

/// The outcome of a completion request, and the rate limits that the provider's headers named.
struct call_outcome {
  completion_result result;
  rate_limit_headers limits;
};

/// What the provider says about a model, and the time of the provider's clock.
struct model_answer {
  tl::expected<model_facts, call_failure> facts;
  std::optional<wall_time> server_time;
};

/// Sends requests to one endpoint. Thread-safe. Callbacks run on the transport's thread; they must not block.
/// A request that cannot be encoded is answered at once, on the calling thread.
class messages_client {
 public:
  using on_completion = std::function<void(call_outcome)>;
  using on_count = std::function<void(tl::expected<uint64_t, call_failure>)>;
  using on_model = std::function<void(model_answer)>;

  /// `transport` has to outlive this client and its callbacks.
  messages_client(transport& transport, endpoint where, claude_settings settings);

  /// `POST /v1/messages`, streamed if `max_tokens` is large. Sent at most once; `timeout` is for the whole call.
  /// Returns the id for `cancel`, or 0 if the request could not be encoded.
  uint64_t complete(const completion_request& request, milliseconds timeout, on_completion done);

  /// `POST /v1/messages/count_tokens`; free.
  uint64_t count_tokens(const completion_request& request, milliseconds timeout, on_count done);

  /// `GET /v1/models/{id}`; free, and fails as every other request would with a wrong key or address.
  uint64_t model(const std::string& id, milliseconds timeout, on_model done);

  void cancel(uint64_t id) { transport_.cancel(id); }

 private:
  [[nodiscard]] http_call call(http_method method, std::string_view path, std::string body, milliseconds timeout) const;

  transport& transport_;
  endpoint where_;
  claude_settings settings_;
};

/// The transport's options for `where`.
[[nodiscard]] transport_options transport_options_for(const endpoint& where, const claude_settings& settings);

}  // namespace cohort::claude
