// Bounds the processor time that this thread spends on one text. A busy or sleeping machine does not use the bound up.
#pragma once

#include <ctime>

#include "base/clock.hpp"

namespace cohort::inline base {

/// The processor time of the calling thread so far.
[[nodiscard]] inline milliseconds time_of_thread() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return milliseconds{int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000};
}

/// To be used by the thread that made it.
class time_bound {
 public:
  explicit time_bound(milliseconds limit) noexcept : limit_(limit), end_(time_of_thread() + limit) {}
  [[nodiscard]] bool over() const noexcept { return time_of_thread() >= end_; }
  [[nodiscard]] milliseconds limit() const noexcept { return limit_; }

 private:
  milliseconds limit_;
  milliseconds end_;
};

}  // namespace cohort::inline base
