// What every actor of a run may read. Fixed before the first actor starts, never changed after.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "actors/run/attempt_policy.hpp"
#include "messages/price.hpp"
#include "messages/run.hpp"
#include "messages/task.hpp"

namespace cohort::actors {

struct run_context {
  run_settings settings;
  model_info model;                   ///< The model that the plan was made for.
  std::vector<model_info> fallbacks;  ///< Asked in this order while those before are overloaded.
  milliseconds fallback_rest{2000};   ///< How long an overloaded model is left alone before a task tries it again.
  const answer_handler* handler = nullptr;
  outcome_policy outcomes{retry_limits{}};
  spending carried;          ///< Spent on plans that this run replaces; counts against the budget.
  uint32_t max_batches = 0;  ///< Stop after this many batches; 0: all.

  /// Null if this run asks no model of that full id. An empty id is the plan's model.
  [[nodiscard]] const model_info* find_model(const std::string& id) const noexcept {
    if (id.empty() || id == model.id) return &model;
    const auto found = std::find_if(fallbacks.begin(), fallbacks.end(), [&](const auto& one) { return one.id == id; });
    return found == fallbacks.end() ? nullptr : &*found;
  }
};

using context_ptr = std::shared_ptr<const run_context>;

/// The most that `request` can be billed.
[[nodiscard]] inline nano_dollars reservation_for(const completion_request& request, const model_info& model) {
  return most_it_can_cost(prompt_token_bound(request.shared_prefix.size() + request.prompt.size()), request.max_tokens,
                          model);
}

}  // namespace cohort::actors
