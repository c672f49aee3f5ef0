// Simulates token buckets as the API describes them: continuous refill, one set for each model.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.hpp"
#include "simulator/behaviour/scenario.hpp"

namespace cohort::simulator {

/// One bucket. `per_minute` 0: unlimited.
class rate_bucket {
 public:
  rate_bucket(uint64_t per_minute, steady_time now) noexcept;

  [[nodiscard]] bool limited() const noexcept { return limit_ > 0; }
  void refill(steady_time now) noexcept;

  /// True if `amount` can be taken. A full bucket grants any amount and goes into debt, so that no request waits for
  /// ever.
  [[nodiscard]] bool can_take(double amount) const noexcept;
  void take(double amount) noexcept;

  /// Seconds until `amount` can be taken; 0 if it can be now.
  [[nodiscard]] double seconds_until(double amount) const noexcept;
  [[nodiscard]] double seconds_until_full() const noexcept;
  [[nodiscard]] uint64_t limit() const noexcept { return static_cast<uint64_t>(limit_); }
  [[nodiscard]] uint64_t remaining() const noexcept;

 private:
  double limit_;
  double level_;
  steady_time refilled_;
};

/// The three buckets of one model.
class model_buckets {
 public:
  model_buckets(const rate_limits& limits, steady_time now) noexcept;

  /// Takes one request with its tokens and returns 0, or takes nothing and returns the whole seconds to wait (from 1).
  [[nodiscard]] uint32_t admit(uint64_t input_tokens, uint64_t output_tokens, steady_time now) noexcept;

  /// Appends the `anthropic-ratelimit-*` header lines of the limits that are set.
  void append_headers(std::string& out, steady_time now);

 private:
  rate_bucket requests_;
  rate_bucket input_;
  rate_bucket output_;
};

}  // namespace cohort::simulator
