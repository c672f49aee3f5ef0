// Defines the error codes of the whole program, and errors as values. There is one list: each code has a name, a
// sentence, and says once whether trying again can help and whether it concerns one task or the whole account.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace cohort::inline base {

/// What can go wrong. The numeric values are stored in ledgers: append, never renumber.
enum class ec : uint8_t {
  none = 0,
  // Input, configuration, environment.
  usage = 1,
  config_invalid = 2,
  no_credentials = 3,
  model_unknown = 4,
  not_found = 5,
  permission_denied = 6,
  io = 7,
  disk_full = 8,
  // Source files that cannot be planned.
  binary_file = 20,
  not_utf8 = 21,
  file_too_large = 22,
  unparsable = 23,
  not_importable = 24,
  // State on disk.
  state_corrupt = 40,
  state_newer = 41,
  state_foreign = 42,
  state_locked = 43,
  state_missing = 44,
  task_unknown = 45,
  state_untrusted = 46,  ///< Not signed by this user.
  // The provider's answers, by kind (HTTP status and error.type).
  request_invalid = 60,
  authentication = 61,
  billing = 62,
  forbidden = 63,
  model_not_found = 64,
  request_too_large = 65,
  rate_limited = 66,
  spend_limit = 67,
  server_error = 68,
  overloaded = 69,
  conflict = 70,
  // The connection to the provider.
  connect_failed = 80,   ///< Nothing was sent.
  connection_lost = 81,  ///< Something was sent; the outcome is unknown.
  timeout = 82,
  malformed_answer = 83,
  cancelled = 84,
  // Answers that arrived, were paid for, and are not usable.
  refused = 100,
  cut_off = 101,
  empty_answer = 102,
  no_code = 103,
  broken_code = 104,
  context_exceeded = 105,
  answer_too_costly = 106,  ///< Reading it breaks a bound on size, time, memory or depth.
  // The run.
  source_gone = 120,
  source_changed = 121,
  limit_reached = 122,
  limit_too_low = 123,
  worker_lost = 124,
  interrupted = 125,
  // Machines that join.
  certificate_refused = 140,
  protocol_mismatch = 141,
  node_left = 142,  ///< Before it sent the request: nothing can be billed.
};

/// Snake-case name as users meet it in reports, for example "rate_limited".
[[nodiscard]] std::string_view name(ec code) noexcept;

/// One sentence that says what happened.
[[nodiscard]] std::string_view sentence(ec code) noexcept;

/// True if sending the same request again may succeed.
[[nodiscard]] bool retryable(ec code) noexcept;

/// True if every further request would fail in the same way, so the run must stop.
[[nodiscard]] bool stops_run(ec code) noexcept;

/// The code with this name, or `ec::none`.
[[nodiscard]] ec code_named(std::string_view name) noexcept;

/// An error with what, where and what to do now.
struct error {
  ec code = ec::none;
  std::string message;  ///< Complete, for the user; never holds a credential.
};

template <class T>
using expected = tl::expected<T, error>;

[[nodiscard]] inline tl::unexpected<error> fail(ec code, std::string message) {
  return tl::unexpected<error>{error{code, std::move(message)}};
}

}  // namespace cohort::inline base
