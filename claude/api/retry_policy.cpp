// Computes the backoff as the official SDK does: min(0.5 * 2^n, 8) s * (1 - rand * 0.25), with our own bounds from
// config.

#include "claude/api/retry_policy.hpp"

#include <algorithm>

namespace cohort::claude {

retry_decision retry_policy::after(uint32_t attempts, milliseconds elapsed, const call_failure& failure,
                                   double random) const noexcept {
  if (!failure.retry || stops_run(failure.code) || attempts >= settings_.attempts) return {};
  auto delay = failure.retry_after;
  if (delay <= milliseconds{0}) {
    const auto doublings = std::min<uint32_t>(attempts > 0 ? attempts - 1 : 0, 30);
    const auto backoff = std::min(settings_.first_delay * (int64_t{1} << doublings), settings_.longest_delay);
    const double shortened = 1.0 - std::clamp(random, 0.0, 1.0) * settings_.jitter_percent / 100.0;
    delay = milliseconds{static_cast<int64_t>(static_cast<double>(backoff.count()) * shortened)};
  }
  if (elapsed + delay > settings_.longest_elapsed) return {};
  return {true, delay};
}

}  // namespace cohort::claude
