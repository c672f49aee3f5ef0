// Changes the breaker's state after each call.

#include "claude/api/breaker.hpp"

#include <algorithm>

namespace cohort::claude {

namespace {

/// While a probe is in flight, callers wait for its end; they ask again after this time in any case.
constexpr milliseconds while_probing{100};

}  // namespace

health health_of(ec code) noexcept {
  if (code == ec::overloaded || code == ec::server_error || code == ec::connect_failed) return health::bad;
  if (code == ec::cancelled) return health::nothing;
  // A lost connection or a timeout may be the server's or this one request's: they neither open nor close.
  if (code == ec::connection_lost || code == ec::timeout) return health::nothing;
  return health::good;
}

breaker::state breaker::present(steady_time now) const noexcept {
  if (closed_) return state::closed;
  return now < open_until_ ? state::open : state::half_open;
}

breaker::answer breaker::admit(steady_time now) noexcept {
  switch (present(now)) {
    case state::closed: return {true, milliseconds{0}, generation_};
    case state::open: return {false, std::chrono::ceil<milliseconds>(open_until_ - now), 0};
    case state::half_open: break;
  }
  if (probing_) return {false, while_probing, 0};
  probing_ = true;
  ++generation_;
  return {true, milliseconds{0}, generation_};
}

void breaker::record(steady_time now, uint64_t ticket, health how, milliseconds retry_after) noexcept {
  if (ticket != generation_) return;
  if (probing_) {
    probing_ = false;
    if (how == health::bad) open(now, retry_after);
    if (how != health::good) return;  // With `nothing`, the next call becomes the probe.
    closed_ = true;
    failures_ = 0;
    open_for_ = settings_.first_open;
    ++generation_;
    return;
  }
  if (!closed_) return;
  if (how == health::good) failures_ = 0;
  if (how == health::bad && ++failures_ >= settings_.failures_to_open) open(now, retry_after);
}

void breaker::open(steady_time now, milliseconds retry_after) noexcept {
  closed_ = false;
  failures_ = 0;
  ++generation_;
  open_until_ = now + std::max(open_for_, std::min(retry_after, settings_.longest_open));
  open_for_ = std::min(open_for_ * 2, settings_.longest_open);
}

}  // namespace cohort::claude
