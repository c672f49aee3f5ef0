// Describes how the simulated provider behaves (a scenario). Data, read from `config/simulator/NAME.json` or any other
// file.
// Invariant: with the same seed, the same prompt meets the same faults at the same attempt, whatever else is in flight.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace cohort::simulator {

/// How long a request waits for its answer: `fixed_ms` plus a log-normal part.
struct latency_model {
  double fixed_ms = 0;
  double median_ms = 0;  ///< Median of the log-normal part; 0: none.
  double sigma = 0;      ///< Standard deviation of its logarithm.
};

/// Token buckets of one model, a minute each; 0: no limit.
struct rate_limits {
  uint64_t requests_per_minute = 0;
  uint64_t input_tokens_per_minute = 0;   ///< Cache reads do not count.
  uint64_t output_tokens_per_minute = 0;  ///< Counts what is generated, not `max_tokens`.
};

/// Faults of transport and server, as shares of all message requests, 0 to 1, at most 1 together.
struct fault_rates {
  double rate_limited = 0;           ///< 429 with `retry-after`; not billed.
  double overloaded = 0;             ///< 529; not billed.
  double server_error = 0;           ///< 500; not billed.
  double reset_unread = 0;           ///< Connection reset, the request is ignored; not billed.
  double hang = 0;                   ///< No answer ever; not billed.
  double hang_billed = 0;            ///< No answer ever; billed.
  double reset_after_billing = 0;    ///< Connection reset instead of the answer; billed.
  double truncated = 0;              ///< Half of the body, then the connection closes; billed.
  double wrong_content_type = 0;     ///< The answer is labelled text/html; billed.
  double stream_error = 0;           ///< An `error` event after a 200 (a 500 if not streamed); the stream is billed.
  double trickle = 0;                ///< The answer arrives in small pieces; billed.
  uint32_t retry_after_seconds = 1;  ///< For the 429s that are drawn by `rate_limited`.
  uint32_t trickle_pieces = 20;
  uint32_t trickle_pause_ms = 50;  ///< Between two pieces.
};

/// What an answer looks like. Shares of all answers, at most 1 together (`thinking` is drawn by itself).
/// The rest is the test file in one fenced block.
struct answer_rates {
  double refusal = 0;      ///< `stop_reason` refusal, no content.
  double max_tokens = 0;   ///< Cut off; `stop_reason` max_tokens.
  double empty = 0;        ///< `end_turn` with empty content.
  double prose = 0;        ///< Text without code.
  double bare = 0;         ///< The test file without a fence.
  double chatty = 0;       ///< Prose around the fence.
  double broken_code = 0;  ///< Code that does not parse.
  double thinking = 0;     ///< A `thinking` block first; its tokens are billed.
};

/// A time in which every message request is answered with 529, not billed. Only this part of a scenario goes by the
/// clock, which starts with the first message request.
struct outage_window {
  uint64_t from_ms = 0;
  uint64_t for_ms = 0;  ///< 0: no outage.
  std::string model;    ///< Full id; empty: every model.
};

/// Errors that concern the whole account.
enum class account_error : uint8_t {
  none,
  authentication,        ///< 401
  billing,               ///< 402
  permission,            ///< 403
  credit_too_low,        ///< 400 "Your credit balance is too low"
  spend_limit,           ///< 400, the organisation's own limit
  enforced_spend_limit,  ///< 429 with error_code enforced_spend_limit_reached
  contract_spend_limit,  ///< 429 with error_code contract_spend_limit_reached
};

struct account_trouble {
  account_error error = account_error::none;
  uint64_t from_request = 1;  ///< The first message request that meets it; counts from 1.
};

/// Bodies that no honest provider sends under a 200. All are billed like honest ones.
enum class malformed_body : uint8_t {
  none,
  html,              ///< A page of HTML.
  huge_usage,        ///< Counts beyond what any model can do.
  mistyped_usage,    ///< Counts that are texts and lists.
  mistyped_content,  ///< `content` is an object, its text a number.
  other_model,       ///< An honest answer that names another model than the one that was asked.
  deep_json,         ///< Nested 100,000 times.
  invalid_utf8,
  short_length,    ///< `content-length` is half of what is sent.
  long_length,     ///< `content-length` is twice what is sent; then the connection closes.
  header_flood,    ///< A megabyte of headers.
  gigabytes,       ///< `content-length` is 8 GiB, and text without end follows.
  endless,         ///< Text without end, in chunks.
  endless_events,  ///< A stream of `ping` events without end.
  endless_line,    ///< A stream whose first line never ends.
};

/// Ways to bill or to report that no honest provider uses; the bill file follows what is billed.
struct malformed_answers {
  bool bill_max_tokens = false;       ///< Output is reported and billed as `max_tokens`, whatever was sent.
  bool dearest_cache_writes = false;  ///< All input is reported and billed as one-hour cache writes.
  bool double_output = false;         ///< Answers are twice as long as necessary (within `max_tokens`).
  bool negative_usage = false;        ///< `usage` reports negative tokens; billed as counted.
  bool missing_usage = false;         ///< No `usage` at all; billed as counted.
  bool token_a_byte = false;          ///< Each byte of the prompt is reported and billed as a token.
  malformed_body body = malformed_body::none;
  double share = 1;  ///< Of the prompts whose answers have such a body; each prompt always or never.
};

/// Which credentials are good.
struct key_rules {
  std::vector<std::string> accepted;          ///< Empty: any that is not empty.
  std::vector<std::string> refused_prefixes;  ///< For example "sk-ant-invalid".
};

struct scenario {
  uint64_t seed = 1;
  latency_model latency;
  rate_limits limits;
  fault_rates faults;
  answer_rates answers;
  outage_window outage;
  account_trouble account;
  malformed_answers malformed;
  key_rules keys{{}, {"sk-ant-invalid"}};

  /// Fails with `ec::config_invalid` and the name of the field.
  [[nodiscard]] expected<void> validate() const;
};

/// The rates in the order in which they are drawn; `fault_draws.hpp` has the names in the same order.
[[nodiscard]] std::array<double, 11> in_order(const fault_rates& rates) noexcept;
[[nodiscard]] std::array<double, 7> in_order(const answer_rates& rates) noexcept;

/// Reads a scenario; unknown keys and wrong types are refused. `source` names the text in messages.
[[nodiscard]] expected<scenario> parse_scenario(std::string_view json, std::string_view source);

/// Reads a scenario file. A bare name ("calm") is looked for in `config/simulator/`; `ec::usage` lists the scenarios if
/// there is none of that name.
[[nodiscard]] expected<scenario> load_scenario(const std::string& name_or_path);

/// Applies one "group.key=value" ("faults.overloaded=0.1", "seed=7"), the value as JSON or a bare word.
[[nodiscard]] expected<void> override_scenario(scenario& base, std::string_view assignment);

}  // namespace cohort::simulator
