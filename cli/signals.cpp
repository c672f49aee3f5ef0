// sigwait on a thread: no code runs in a signal handler.

#include "cli/signals.hpp"

#include <csignal>

#include <pthread.h>

namespace cohort {

namespace {

constexpr int wake_up = SIGUSR1;

sigset_t watched(bool with_wake_up) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, number);
  if (with_wake_up) sigaddset(&set, wake_up);
  return set;
}

}  // namespace

void block_signals() {
  const auto set = watched(true);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

signal_watch::signal_watch(std::function<void(int)> on_signal) {
  thread_ = std::thread{[handle = std::move(on_signal)] {
    const auto set = watched(true);
    for (int count = 1;; ++count) {
      int number = 0;
      sigwait(&set, &number);
      if (number == wake_up) return;
      handle(count);
    }
  }};
}

signal_watch::~signal_watch() {
  pthread_kill(thread_.native_handle(), wake_up);
  thread_.join();
}

void wait_for_signal() {
  const auto set = watched(false);
  int number = 0;
  sigwait(&set, &number);
}

}  // namespace cohort
