// Decides whether a failed request is sent again, and after how long. The result depends on the arguments only.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "claude/api/settings.hpp"
#include "messages/request.hpp"

namespace cohort::claude {

/// What to do after a failed attempt.
struct retry_decision {
  bool again = false;
  milliseconds delay{0};  ///< Before the next attempt.
};

/// Bounds the attempts of one task, and the time they take together.
class retry_policy {
 public:
  explicit retry_policy(const retry_settings& settings) : settings_(settings) {}

  /// `attempts` counts those made, the failed one included; `elapsed` is since the first began; `random` lies in [0,
  /// 1). The provider's `retry-after` is followed exactly; without it the delay is `min(first * 2^(n-1), longest)`,
  /// shortened by up to `jitter_percent`. Errors of the whole account are never tried again.
  [[nodiscard]] retry_decision after(uint32_t attempts, milliseconds elapsed, const call_failure& failure,
                                     double random) const noexcept;

 private:
  retry_settings settings_;
};

}  // namespace cohort::claude
