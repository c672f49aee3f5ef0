// What follows from the end of an attempt: try again, give up, or stop the run.
// Pure: the numbers come from `config/defaults.json`.
#pragma once

#include <cstdint>
#include <map>

#include "actors/messages/work.hpp"

namespace cohort::actors {

/// How often a task may be asked again, by the class of its failure.
struct retry_limits {
  uint32_t unconfirmed = 2;              ///< Further attempts after an outcome that may have been billed.
  uint32_t worker_lost = 8;              ///< Further attempts after the loss of a worker.
  std::map<ec, uint32_t> after_answer;   ///< Further attempts after a paid answer that was not usable.
  uint32_t most_output_tokens = 32'000;  ///< Bound when a cut-off answer is asked for again with more room.
  milliseconds pause{500};               ///< Before asking again; doubled each time.
};

/// What to do with a task now.
struct next_step {
  enum class action : uint8_t { again, fail, stop_run };
  action what = action::fail;
  milliseconds pause{0};    ///< Before `again`.
  uint32_t max_tokens = 0;  ///< For `again`; 0: as before.
  bool falls_back = false;  ///< For `again`: of the next model.
};

/// The class of a paid answer by why the model ended it; `ec::none` if its text is to be judged.
[[nodiscard]] ec class_of(stop_reason stop) noexcept;

/// True for the codes by which an answer handler says that an answer is not usable.
[[nodiscard]] bool is_unusable_answer(ec code) noexcept;

class outcome_policy {
 public:
  explicit outcome_policy(retry_limits limits) : limits_(std::move(limits)) {}

  /// After a call that failed. `unconfirmed` counts this task's attempts with unknown billing, this one included.
  /// `has_fallback`: another model could be asked; it is, if the failure is an overload that costs nothing.
  [[nodiscard]] next_step after_failure(const call_failure& failure, uint32_t unconfirmed,
                                        bool has_fallback = false) const;

  /// After a paid answer that is not usable for the reason `code`. `times` counts such answers, this one included.
  [[nodiscard]] next_step after_answer(ec code, uint32_t times, uint32_t max_tokens) const;

 private:
  retry_limits limits_;
};

}  // namespace cohort::actors
