// Writes the answer's text for a prompt, in the form that the scenario asks for.
#pragma once

#include <string>
#include <string_view>

#include "simulator/assertions/assertion_text.hpp"
#include "simulator/behaviour/fault_draws.hpp"

namespace cohort::simulator {

/// What the model says; `refusal`, `empty` and `max_tokens` still have a stop reason of their own.
struct answer {
  std::string thinking;  ///< Empty: no thinking block.
  std::string text;      ///< Empty: no text block.
  std::string_view stop_reason = "end_turn";
  uint64_t output_tokens = 0;  ///< Thinking included; at most the request's `max_tokens`.
};

class answer_author {
 public:
  explicit answer_author(test_text tests) noexcept : tests_(std::move(tests)) {}

  /// The answer to `prompt`, cut off at `max_tokens`. `doubled` makes the answer twice as long as necessary.
  [[nodiscard]] answer compose(std::string_view prompt, const drawn_faults& drawn, uint64_t max_tokens, bool doubled);

 private:
  [[nodiscard]] std::string text_for(std::string_view prompt, answer_form form, bool doubled);

  test_text tests_;
};

}  // namespace cohort::simulator
