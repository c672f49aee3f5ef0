// Buckets are drawn down when a request is admitted, refilled at the allowed rate, corrected by what an answer really
// used, and held to what the headers say.

#include "claude/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace cohort {

namespace {

constexpr milliseconds look_again{1000};  ///< When the ramp-up holds: what frees a place is a `finished`.
constexpr double widest_window = 1e6;

double milliseconds_between(steady_time from, steady_time to) noexcept {
  return std::chrono::duration<double, std::milli>(to - from).count();
}

}  // namespace

token_demand demand_of(const token_usage& usage) noexcept {
  return {usage.input_tokens + usage.cache_write_5m_tokens + usage.cache_write_1h_tokens, usage.output_tokens};
}

limiter_outcome limiter_outcome_of(const completion_result& result, const rate_limit_headers& limits) {
  limiter_outcome outcome;
  outcome.limits = limits;
  if (result) {
    outcome.how = limiter_outcome::kind::answered;
    outcome.used = demand_of(result->usage);
    return outcome;
  }
  outcome.retry_after = result.error().retry_after;
  if (result.error().code == ec::rate_limited) outcome.how = limiter_outcome::kind::rate_limited;
  if (result.error().code == ec::overloaded) outcome.how = limiter_outcome::kind::overloaded;
  return outcome;
}

rate_limiter::rate_limiter(const rate_settings& settings) : settings_(settings), window_(settings.first_in_flight) {}

std::array<double, 4> rate_limiter::amounts(const token_demand& demand) noexcept {
  const auto in = static_cast<double>(demand.input_tokens);
  const auto out = static_cast<double>(demand.output_tokens);
  return {1, in + out, in, out};
}

double rate_limiter::per_ms(const bucket& b) const noexcept {
  return b.limit * settings_.refill_percent / 100.0 / static_cast<double>(settings_.window.count());
}

void rate_limiter::refill(bucket& b, steady_time now) const noexcept {
  if (now <= b.filled) return;
  b.level = std::min(b.limit, b.level + per_ms(b) * milliseconds_between(b.filled, now));
  b.filled = now;
}

/// The window of requests in flight grows with time as well as with answers, so that slow answers do not stop it.
void rate_limiter::ramp(steady_time now) noexcept {
  if (!used_ || now - last_admission_ > settings_.idle) {
    if (in_flight_ == 0) window_ = std::min<double>(window_ > 0 && used_ ? window_ : widest_window, settings_.first_in_flight);
    window_grown_ = now;
  }
  const double doublings = milliseconds_between(window_grown_, now) / static_cast<double>(settings_.double_every.count());
  if (doublings >= 1.0 && now >= paused_until_) {
    window_ = std::min(widest_window, window_ * std::exp2(std::floor(doublings)));
    window_grown_ = now;
  }
}

admission rate_limiter::admit(steady_time now, const token_demand& expected) {
  ramp(now);
  if (now < paused_until_) return {false, std::chrono::ceil<milliseconds>(paused_until_ - now), {}};
  if (in_flight_ >= std::max(1.0, std::floor(window_))) return {false, look_again, {}};
  const auto wanted = amounts(expected);
  double wait_ms = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    auto& b = buckets_[i];
    if (!b.known) continue;
    refill(b, now);
    // More than the bucket can ever hold is let through once it is full.
    const double needed = std::min(wanted[i], b.limit);
    if (b.level < needed) wait_ms = std::max(wait_ms, (needed - b.level) / per_ms(b));
  }
  if (wait_ms > 0) return {false, milliseconds{static_cast<int64_t>(std::ceil(wait_ms))}, {}};
  admission granted{true, milliseconds{0}, {expected, now, {}}};
  for (size_t i = 0; i < buckets_.size(); ++i) {
    buckets_[i].level -= wanted[i];
    buckets_[i].taken += wanted[i];
    granted.ticket.taken_before[i] = buckets_[i].taken;
  }
  ++in_flight_;
  used_ = true;
  last_admission_ = now;
  return granted;
}

/// Headers may have been written when the request arrived or when its answer began. Between the two readings
/// lies the truth; the local level is only moved if it lies outside of both.
void rate_limiter::steer(bucket& b, const rate_limit_window& said, steady_time now, double taken_since,
                         steady_time admitted) {
  if (!said.known) return;
  const bool first = !b.known;
  b.known = true;
  b.limit = static_cast<double>(said.limit);
  const auto written_late = static_cast<double>(said.remaining);
  if (first) {
    b.filled = now;
    b.level = written_late - taken_since;
    return;
  }
  refill(b, now);
  const double written_early = std::min(b.limit, written_late + per_ms(b) * milliseconds_between(admitted, now)) - taken_since;
  const double headroom = b.limit * settings_.headroom_percent / 100.0;
  b.level = std::min(b.level, std::max(written_early, written_late));
  b.level = std::max(b.level, std::min(written_early, written_late) - headroom);
}

/// Once for all requests that were in flight together: their failures are one event.
void rate_limiter::shrink(steady_time now, steady_time admitted) noexcept {
  if (admitted < window_shrunk_) return;
  window_ = std::max(1.0, std::min(window_, static_cast<double>(in_flight_ + 1)) / 2);
  window_shrunk_ = now;
  window_grown_ = now;
}

void rate_limiter::pause(steady_time now, const limiter_outcome& outcome, double random) {
  const auto wish = outcome.retry_after > milliseconds{0} ? outcome.retry_after : settings_.pause_without_wish;
  const double stretched = 1.0 + std::clamp(random, 0.0, 1.0) * settings_.pause_jitter_percent / 100.0;
  const milliseconds length{static_cast<int64_t>(static_cast<double>(wish.count()) * stretched)};
  paused_until_ = std::max(paused_until_, now + length);
}

void rate_limiter::finished(steady_time now, const admission_ticket& ticket, const limiter_outcome& outcome,
                            double random) {
  if (in_flight_ > 0) --in_flight_;
  const bool answered = outcome.how == limiter_outcome::kind::answered;
  const auto expected = amounts(ticket.expected);
  auto used = amounts(answered ? outcome.used : token_demand{});
  if (outcome.how == limiter_outcome::kind::rate_limited) used[requests] = 0;  // It was not let in.
  const auto& said = outcome.limits;
  const std::array<const rate_limit_window*, 4> windows{&said.requests, &said.tokens, &said.input_tokens, &said.output_tokens};
  for (size_t i = 0; i < buckets_.size(); ++i) {
    auto& b = buckets_[i];
    const double taken_since = b.taken - ticket.taken_before[i];
    if (b.known) refill(b, now);
    b.level = b.known ? std::min(b.limit, b.level + expected[i] - used[i]) : b.level;
    steer(b, *windows[i], now, std::max(0.0, taken_since), ticket.at);
  }
  switch (outcome.how) {
    case limiter_outcome::kind::answered: window_ = std::min(widest_window, window_ + 1); break;
    case limiter_outcome::kind::rate_limited:
      pause(now, outcome, random);
      shrink(now, ticket.at);
      break;
    case limiter_outcome::kind::overloaded: shrink(now, ticket.at); break;
    case limiter_outcome::kind::other: break;
  }
}

}  // namespace cohort
