// Estimates what a task will use and cost, before it is sent. The worst figure is a true bound: the budget reserves it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "messages/price.hpp"
#include "messages/task.hpp"
#include "planning/sizing/planning_defaults.hpp"

namespace cohort::planning {

/// What an estimate depends on.
struct task_size {
  uint64_t prompt_bytes = 0;  ///< Shared prefix and tail.
  uint64_t source_bytes = 0;  ///< Of the source text inside the prompt.
  uint32_t units = 0;         ///< Functions and methods to test.
};

/// Bound for the answer, thinking included: grows with units and source, within the configured bounds and the
/// model's own.
[[nodiscard]] uint32_t max_tokens_for(const task_size& size, const estimate_rates& rates, const model_info& model);

/// Tokens and cost. Input is `ceil(bytes / 2.5)` as configured; output follows units, source and effort, never above
/// `max_tokens`; low assumes denser text and a shorter answer; worst is `most_it_can_cost`.
[[nodiscard]] task_estimate estimate_task(const task_size& size, uint32_t max_tokens, std::string_view effort,
                                          const estimate_rates& rates, const model_info& model);

/// The estimate of several tasks together, for a batch or a run.
[[nodiscard]] task_estimate sum_of(std::span<const task_estimate> estimates);

}  // namespace cohort::planning
