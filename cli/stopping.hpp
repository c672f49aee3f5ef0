// What signals do at each stage of a run. Planning has nothing in flight, so the first one ends it at once; later the
// first one drains, the second one, or the end of the grace time, stops now.
#pragma once

#include <atomic>

#include "actors/run/run_system.hpp"
#include "cli/signals.hpp"
#include "state/workspace.hpp"

namespace cohort::cli {

class stop_handler {
 public:
  explicit stop_handler(state::workspace workspace) : workspace_(std::move(workspace)) {}

  actors::run_controls controls;

  /// Called on the thread of the `signal_watch`.
  void heed(stop_request request);

  /// The run lock is held: an end at once removes what it would leave.
  void locked() noexcept { locked_ = true; }

  /// While the project is read a signal ends the process at once, also one that came before: nothing of it is stored
  /// before the plan is whole.
  void begin_planning();
  void end_planning() noexcept { planning_ = false; }

 private:
  void leave_planning();
  [[noreturn]] void leave() noexcept;

  state::workspace workspace_;
  std::atomic<bool> locked_ = false;
  std::atomic<bool> planning_ = false;
  std::atomic<bool> wished_ = false;
};

}  // namespace cohort::cli
