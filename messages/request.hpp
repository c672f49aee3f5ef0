// One call of the provider: what is asked, what comes back, how it can fail.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "messages/usage.hpp"

namespace cohort::inline messages {

/// Whether the shared prefix is marked for the provider's prompt cache.
enum class cache_mode : uint8_t { none, five_minutes, one_hour };

/// What is asked of the model.
struct completion_request {
  std::string model;          ///< Full id.
  std::string shared_prefix;  ///< Sent as `system`; byte-identical over the tasks of a plan. May be empty.
  std::string prompt;         ///< The user message.
  uint32_t max_tokens = 0;    ///< Bound of the answer, thinking included.
  cache_mode cache = cache_mode::none;
  std::string effort;  ///< `output_config.effort`, unless empty.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, completion_request& x) {
  return f(x.model, x.shared_prefix, x.prompt, x.max_tokens, x.cache, x.effort);
}

/// Why the model stopped. Values that a newer API adds are read as `unknown`.
enum class stop_reason : uint8_t {
  end_turn,
  max_tokens,
  stop_sequence,
  tool_use,
  pause_turn,
  refusal,
  context_window_exceeded,
  unknown,
};

/// An answer that arrived whole. It is paid for, whatever it says.
struct completion {
  std::string request_id;  ///< Header `request-id`.
  std::string model;       ///< The model that answered, as the API names it.
  stop_reason stop = stop_reason::unknown;
  std::string text;  ///< Text blocks, concatenated, verbatim. May be empty.
  token_usage usage;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, completion& x) {
  return f(x.request_id, x.model, x.stop, x.text, x.usage);
}

/// Whether a failed call can appear on the bill.
enum class billing : uint8_t {
  unbilled,  ///< Never sent, or answered with an error: costs nothing.
  unknown,   ///< Sent, and no whole answer came back: may be billed in full.
};

/// A call without an answer.
struct call_failure {
  ec code = ec::none;
  std::string message;     ///< What the provider or the transport said; safe to show.
  std::string request_id;  ///< Empty if no response header arrived.
  uint16_t http_status = 0;
  milliseconds retry_after{0};  ///< That the provider asked for; 0 if it named none.
  bool retry = false;           ///< `x-should-retry`, else by the code.
  billing billed = billing::unknown;
  std::string text;  ///< What the model said, if a 200 carried readable text but no trustworthy bill. Else empty.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_failure& x) {
  return f(x.code, x.message, x.request_id, x.http_status, x.retry_after, x.retry, x.billed, x.text);
}

}  // namespace cohort::inline messages
