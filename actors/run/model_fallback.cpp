// The plan's model is always fit for its own requests: planning saw to that.

#include "actors/run/model_fallback.hpp"

#include <algorithm>

namespace cohort::actors {

namespace {

constexpr milliseconds longest_rest = std::chrono::hours{24};  ///< A retry time may come from a node.

}  // namespace

model_fallback::model_fallback(std::vector<model_info> models, milliseconds cooldown) : cooldown_(cooldown) {
  for (auto& model : models) steps_.push_back({std::move(model), false, {}});
}

bool model_fallback::fits(size_t model_index, const completion_request& request) const noexcept {
  if (model_index == 0) return true;
  const auto& model = steps_[model_index].model;
  const auto output = std::min(request.max_tokens, model.max_output_tokens);
  const auto prompt = prompt_token_bound(request.shared_prefix.size() + request.prompt.size());
  return prompt + output <= model.context_tokens;
}

bool model_fallback::has_next(size_t model_index, const completion_request& request) const noexcept {
  for (size_t next = model_index + 1; next < steps_.size(); ++next)
    if (fits(next, request)) return true;
  return false;
}

size_t model_fallback::choose(steady_time now, size_t least, const completion_request& request) {
  size_t last = std::min(least, steps_.size() - 1);
  for (size_t model_index = last; model_index < steps_.size(); ++model_index) {
    auto& model = steps_[model_index];
    if (!fits(model_index, request)) continue;
    last = model_index;
    if (model.resting && now < model.until) continue;
    if (model.resting) model.until = now + cooldown_;  // This request tries; the others wait for what becomes of it.
    return model_index;
  }
  return last;
}

void model_fallback::overloaded(steady_time now, size_t model_index, milliseconds retry_after) {
  auto& model = steps_[model_index];
  model.resting = true;
  model.until = std::max(model.until, now + std::clamp(retry_after, cooldown_, std::max(cooldown_, longest_rest)));
}

void model_fallback::answered(size_t model_index) noexcept { steps_[model_index].resting = false; }

completion_request model_fallback::request_for(const completion_request& request, size_t model_index) const {
  auto other = request;
  const auto& model = steps_[model_index].model;
  other.model = model.id;  // Also of the run's own model: whatever a plan says, what is charged for is what is asked.
  if (model_index == 0) return other;
  other.max_tokens = std::min(request.max_tokens, model.max_output_tokens);
  if (!model.takes_effort) other.effort.clear();
  return other;
}

}  // namespace cohort::actors
