// What signals do at each stage of a run. Planning has nothing in flight, so the first one ends it at once; later the
// first one drains, the second one, or the end of the grace time, stops now.
#pragma once

#include <atomic>

#include "actors/run/run_system.hpp"
#include "app/notices.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

/// One request to stop.
struct stop_request {
  int count = 0;            ///< From 1.
  bool grace_over = false;  ///< No signal: the time after the first one is over. Counts as one.
};

class stop_handler {
 public:
  /// `exit_code`: of a process that ends at once.
  stop_handler(state::workspace workspace, notices& out, int exit_code)
      : workspace_(std::move(workspace)), out_(out), exit_code_(exit_code) {}

  actors::run_controls controls;

  /// Called on the thread that waits for signals.
  void heed(stop_request request);

  /// While the run lock is held, an end at once removes what it would leave.
  void locked() noexcept { locked_ = true; }
  void unlocked() noexcept { locked_ = false; }

  /// While the project is read a signal ends the process at once, also one that came before: nothing of it is stored
  /// before the plan is whole.
  void begin_planning();
  void end_planning() noexcept { planning_ = false; }

 private:
  void leave_planning();
  [[noreturn]] void leave() noexcept;

  state::workspace workspace_;
  notices& out_;
  int exit_code_;
  std::atomic<bool> locked_ = false;
  std::atomic<bool> planning_ = false;
  std::atomic<bool> wished_ = false;
};

}  // namespace cohort::app
