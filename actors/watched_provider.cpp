// Noting how the provider is after each call.

#include "actors/watched_provider.hpp"

namespace cohort {

void watched_provider::settle(steady_time now, uint64_t id, const gateway_result& result) {
  inner_->settle(now, id, result);
  const bool fails = inner_->failing(now);
  const std::lock_guard lock{guard_};
  if (!fails)
    trouble_.clear();
  else if (!result.answered)
    trouble_ = result.failure.message.empty() ? "its calls fail" : result.failure.message;
}

std::string watched_provider::trouble() const {
  const std::lock_guard lock{guard_};
  return trouble_;
}

}  // namespace cohort
