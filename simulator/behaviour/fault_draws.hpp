// Draws the faults of one request from the scenario. Content and attempt decide, never the order of arrival.
#pragma once

#include <chrono>
#include <cstdint>

#include "simulator/behaviour/scenario.hpp"

namespace cohort::simulator {

/// In the order of `in_order(fault_rates)`; `none` is the rest.
enum class fault : uint8_t {
  rate_limited,
  overloaded,
  server_error,
  reset_unread,
  hang,
  hang_billed,
  reset_after_billing,
  truncated,
  wrong_content_type,
  stream_error,
  trickle,
  none,
};

/// In the order of `in_order(answer_rates)`; `fenced` is the rest.
enum class answer_form : uint8_t { refusal, max_tokens, empty, prose, bare, chatty, broken_code, fenced };

struct drawn_faults {
  fault happens = fault::none;
  answer_form form = answer_form::fenced;
  bool thinking = false;
  bool malformed = false;  ///< The body is the scenario's `lies.body`; the same at every attempt.
  std::chrono::microseconds latency{0};
};

/// The faults of attempt `attempt` (from 1) at the prompt with hash `content`.
[[nodiscard]] drawn_faults draw_faults(const scenario& rules, uint64_t content, uint64_t attempt) noexcept;

}  // namespace cohort::simulator
