// The plan's model is always fit for its own requests: planning saw to that.

#include "actors/run/model_fallback.hpp"

#include <algorithm>

namespace cohort::actors {

namespace {

constexpr milliseconds longest_rest = std::chrono::hours{24};  ///< A wish may come from a node.

}  // namespace

model_ladder::model_ladder(std::vector<model_info> models, milliseconds rest) : rest_(rest) {
  for (auto& model : models) steps_.push_back({std::move(model), false, {}});
}

bool model_ladder::fits(size_t level, const completion_request& request) const noexcept {
  if (level == 0) return true;
  const auto& model = steps_[level].model;
  const auto output = std::min(request.max_tokens, model.max_output_tokens);
  const auto prompt = prompt_token_bound(request.shared_prefix.size() + request.prompt.size());
  return prompt + output <= model.context_tokens;
}

bool model_ladder::has_next(size_t level, const completion_request& request) const noexcept {
  for (size_t next = level + 1; next < steps_.size(); ++next)
    if (fits(next, request)) return true;
  return false;
}

size_t model_ladder::choose(steady_time now, size_t least, const completion_request& request) {
  size_t last = std::min(least, steps_.size() - 1);
  for (size_t level = last; level < steps_.size(); ++level) {
    auto& step = steps_[level];
    if (!fits(level, request)) continue;
    last = level;
    if (step.resting && now < step.until) continue;
    if (step.resting) step.until = now + rest_;  // This request tries; the others wait for what becomes of it.
    return level;
  }
  return last;
}

void model_ladder::overloaded(steady_time now, size_t level, milliseconds wish) {
  auto& step = steps_[level];
  step.resting = true;
  step.until = std::max(step.until, now + std::clamp(wish, rest_, std::max(rest_, longest_rest)));
}

void model_ladder::answered(size_t level) noexcept { steps_[level].resting = false; }

completion_request model_ladder::adapted(const completion_request& request, size_t level) const {
  auto other = request;
  const auto& model = steps_[level].model;
  other.model = model.id;  // Also of the run's own model: whatever a plan says, what is charged for is what is asked.
  if (level == 0) return other;
  other.max_tokens = std::min(request.max_tokens, model.max_output_tokens);
  if (!model.takes_effort) other.effort.clear();
  return other;
}

}  // namespace cohort::actors
