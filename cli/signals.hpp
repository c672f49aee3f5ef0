// SIGINT, SIGTERM and SIGHUP: the first drains the run, the second stops it now, the third ends the process.
#pragma once

#include <functional>
#include <thread>

namespace cohort {

/// Blocks the signals in this and all later threads. Call before any thread starts. Ignores SIGPIPE.
void block_signals();

/// Waits for signals on a thread of its own, until destroyed.
class signal_watch {
 public:
  /// `on_signal` gets the count of signals so far, from 1. Called on the watch's thread.
  explicit signal_watch(std::function<void(int count)> on_signal);
  signal_watch(const signal_watch&) = delete;
  signal_watch& operator=(const signal_watch&) = delete;
  ~signal_watch();

 private:
  std::thread thread_;
};

/// Waits for one of the signals in the calling thread.
void wait_for_signal();

}  // namespace cohort
