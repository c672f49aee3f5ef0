// Describes a reply, which is an answer and the manner of its delivery, and declares how bodies are written.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "simulator/api/message_request.hpp"
#include "simulator/behaviour/answer_text.hpp"

namespace cohort::simulator {

/// One HTTP request, as views into the connection's buffers.
struct received_call {
  std::string_view method;
  std::string_view target;   ///< With the query string, if any.
  std::string_view api_key;  ///< `x-api-key`
  std::string_view authorization;
  std::string_view version;  ///< `anthropic-version`
  std::string_view body;
};

enum class transmission : uint8_t {
  whole,
  trickle,  ///< In small pieces.
  cut,      ///< Half of the body, then the connection closes.
  reset,    ///< Nothing; the connection is reset.
  hang,     ///< Nothing; the connection stays open until the client leaves.
  whole_then_close,
  endless,  ///< The body, then its repeated tail until the client leaves.
};

/// Reused from request to request, so that its strings keep their memory.
struct reply {
  unsigned status = 200;
  std::string headers;  ///< Further header lines, each with its line break.
  std::string body;
  std::string_view content_type = "application/json";
  bool streamed = false;  ///< Sent in chunks instead of with a length.
  bool message = false;   ///< The answer to a message request: counts as in flight until it is sent.
  transmission how = transmission::whole;
  std::string_view repeated_tail;         ///< For `endless`; a literal.
  std::optional<uint64_t> stated_length;  ///< `content-length`, if it is to be wrong.
  std::chrono::microseconds delay{0};     ///< Before the first byte.
  uint32_t pieces = 1;                    ///< For `trickle`.
  std::chrono::milliseconds pause{0};     ///< Between two pieces.

  void clear();
};

/// What an answer's body is made of.
struct message_body {
  std::string_view id;
  std::string_view model;
  const answer* said = nullptr;
  std::string usage;        ///< JSON object; empty: no `usage`.
  std::string start_usage;  ///< The same as it stands in `message_start`.
};

enum class usage_sign : bool { honest, negative };

/// The API's `usage` object.
[[nodiscard]] std::string usage_json(const counted_tokens& tokens, bool us_inference, price_tier tier, usage_sign sign);

/// The answer as one JSON object, and as the full sequence of events; `failing` ends it with an `error` event.
void append_message_json(std::string& out, const message_body& message);
void append_message_events(std::string& out, const message_body& message, bool failing);

/// The API's error object.
void append_error_json(std::string& out, const api_problem& problem, std::string_view request_id);

}  // namespace cohort::simulator
