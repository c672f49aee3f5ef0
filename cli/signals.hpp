// SIGINT, SIGTERM and SIGHUP: the first drains the run, the second, or the end of the grace time, stops it now, the
// third ends the process.
#pragma once

#include <functional>
#include <thread>

#include "app/stop_handler.hpp"
#include "base/clock.hpp"

namespace cohort::cli {

/// A closed pipe is a failed write, not the end of the process.
void ignore_broken_pipes();

/// Blocks the signals in this and all later threads, for `signal_watch` or `wait_for_signal`. Call before any thread
/// starts, and only where somebody waits for them: elsewhere their usual action ends the process.
void block_signals();

/// Waits for signals on a thread of its own, until destroyed.
class signal_watch {
 public:
  /// `on_stop` is called on the watch's thread, for each signal and once when `grace` has passed since the first.
  signal_watch(std::function<void(app::stop_request)> on_stop, milliseconds grace);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  ~signal_watch();

 private:
  std::thread thread_;
};

/// Waits for one of the signals in the calling thread.
void wait_for_signal();

}  // namespace cohort::cli
