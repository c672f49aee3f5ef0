// Counts what the server does: written by the server's thread, read by any.
#pragma once

#include <mutex>

#include "simulator/server/simulator.hpp"

namespace cohort::simulator {

class live_counters {
 public:
  template <class Change>
  void change(Change apply) {
    const std::lock_guard lock{mutex_};
    apply(values_);
  }
  [[nodiscard]] simulator_counters copy() const {
    const std::lock_guard lock{mutex_};
    return values_;
  }

 private:
  mutable std::mutex mutex_;
  simulator_counters values_;
};

}  // namespace cohort::simulator
