// sigwait on a thread: no code runs in a signal handler.

#include "cli/signals.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>

#include <pthread.h>

namespace cohort::cli {

namespace {

constexpr int wake_up = SIGUSR1;

/// `nohup` and a shell's `&` start programs with signals ignored, and mean it.
bool ignored(int number) {
  struct sigaction now {};
  return ::sigaction(number, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

sigset_t watched(bool with_wake_up) {
  sigset_t set;
  sigemptyset(&set);
  for (int number : {SIGINT, SIGTERM, SIGHUP})
    if (!ignored(number)) sigaddset(&set, number);
  if (with_wake_up) sigaddset(&set, wake_up);
  return set;
}

int wait_for_one(const sigset_t& set) {
  int number = 0;
  sigwait(&set, &number);
  return number;
}

/// 0 if none came until `end`.
int wait_until(const sigset_t& set, steady_time end) {
  for (;;) {
    const auto left = std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds{end - steady_clock::now()});
    const timespec time{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    const int number = sigtimedwait(&set, nullptr, &time);
    if (number > 0) return number;
    if (errno == EAGAIN) return 0;
  }
}

}  // namespace

void block_signals() {
  const auto set = watched(true);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

void ignore_broken_pipes() { std::signal(SIGPIPE, SIG_IGN); }

signal_watch::signal_watch(std::function<void(app::stop_request)> on_stop, milliseconds grace) {
  thread_ = std::thread{[handle = std::move(on_stop), grace] {
    const auto set = watched(true);
    steady_time end{};
    for (int count = 1;;) {
      const int number = count == 2 ? wait_until(set, end) : wait_for_one(set);
      if (number == wake_up) return;
      if (count == 1) end = steady_clock::now() + grace;
      handle({count++, number == 0});
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

}  // namespace cohort::cli
