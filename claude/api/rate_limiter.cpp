// Keeps the local buckets: a request draws from them when it is admitted, time refills them, the usage of an answer
// corrects them, and the headers of answers bound them.

#include "claude/api/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace cohort::claude {

namespace {

constexpr milliseconds look_again{1000};  ///< While the slow start holds a request; a `finished` may come earlier.
constexpr double widest_window = 1e6;
constexpr double longest_wait_ms = 24.0 * 3600 * 1000;
/// The level of a bucket is raised only after this many headers in a row say that it is too low. Requests of one burst
/// arrive in another order than they left, so that a single header can be wrong by the whole burst.
constexpr uint32_t votes_to_lift = 32;

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

/// The part of a request that the provider counts only while it generates the answer, perhaps after it has written the
/// headers of other answers.
std::array<double, 4> rate_limiter::outputs(const token_demand& demand) noexcept {
  const auto out = static_cast<double>(demand.output_tokens);
  return {0, out, 0, out};
}

double rate_limiter::per_ms(const bucket& b) const noexcept {
  return b.limit * settings_.refill_percent / 100.0 / static_cast<double>(settings_.window.count());
}

void rate_limiter::refill(bucket& b, steady_time now) const noexcept {
  if (now <= b.filled) return;
  b.level = std::min(b.limit, b.level + per_ms(b) * milliseconds_between(b.filled, now));
  b.filled = now;
}

double rate_limiter::headroom(const bucket& b) const noexcept { return b.limit * settings_.headroom_percent / 100.0; }

/// The window of requests in flight grows with time as well as with answers, so that slow answers do not stop it. Until
/// the first answer nothing is known of the limits. Then the window grows one by one, so that, if the first request is
/// refused, only few have followed it.
void rate_limiter::ramp(steady_time now) noexcept {
  const bool idled = in_flight_ == 0 && now - last_admission_ > settings_.idle;
  if (used_ && idled) window_ = std::min<double>(window_, settings_.heard_in_flight);
  if (!used_ || idled) window_grown_ = now;
  if (!heard_) {
    window_ = settings_.first_in_flight +
              milliseconds_between(window_grown_, now) / static_cast<double>(settings_.pace.count());
    return;
  }
  const double every = static_cast<double>(settings_.double_every.count());
  const double doublings = std::floor(milliseconds_between(window_grown_, now) / every);
  if (doublings < 1) return;
  window_ = std::min(widest_window, window_ * std::exp2(std::min(doublings, 30.0)));
  window_grown_ = now;
}

admission rate_limiter::admit(steady_time now, const token_demand& expected) {
  ramp(now);
  if (now < paused_until_) return {false, std::chrono::ceil<milliseconds>(paused_until_ - now), {}};
  if (in_flight_ >= std::max(1.0, std::floor(window_))) return {false, heard_ ? look_again : settings_.pace, {}};
  const auto wanted = amounts(expected);
  double wait_ms = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    auto& b = buckets_[i];
    if (!b.known) continue;
    refill(b, now);
    // The headroom covers estimates that are too low. A request that is larger than the bucket waits until the bucket
    // is full.
    const double needed = std::min(wanted[i] + headroom(b), b.limit);
    if (b.level < needed) wait_ms = std::max(wait_ms, (needed - b.level) / per_ms(b));
  }
  // A header may name any limit, so the wait that follows from it is bounded.
  if (wait_ms > 0)
    return {false, milliseconds{static_cast<int64_t>(std::ceil(std::min(wait_ms, longest_wait_ms)))}, {}};
  admission granted{true, milliseconds{0}, {expected, now, {}, {}}};
  const auto later = outputs(expected);
  for (size_t i = 0; i < buckets_.size(); ++i) {
    auto& b = buckets_[i];
    granted.ticket.pending_output_before[i] = b.pending_output;
    b.level -= wanted[i];
    b.taken += wanted[i];
    b.outstanding += wanted[i];
    b.pending_output += later[i];
    granted.ticket.taken_before[i] = b.taken - later[i];
  }
  ++in_flight_;
  if (!used_) began_ = now;
  used_ = true;
  last_admission_ = now;
  return granted;
}

/// The provider wrote the header either when the request arrived or when the answer began. `low` is the least that is
/// left by either reading, `most` the most; what is in flight and not yet counted is subtracted. A level between the
/// two stays. A higher level is lowered at once; a lower one is raised when `votes_to_lift` headers in a row agree.
void rate_limiter::steer(kind which, const rate_limit_window& said, steady_time now,
                         const admission_ticket& ticket) noexcept {
  if (!said.known) return;
  auto& b = buckets_[which];
  const auto remaining = static_cast<double>(said.remaining);
  const bool first = !b.known;
  b.known = true;
  b.limit = static_cast<double>(said.limit);
  if (first) {
    // The first header of a bucket: assume that the bucket was full at our first request. What was taken since is
    // known, and so is the rate. The header then corrects the level like any later one. If everything in flight were
    // subtracted from `remaining`, what the provider has counted already would count twice.
    b.filled = now;
    b.level = std::min(b.limit, b.limit - b.taken + per_ms(b) * milliseconds_between(began_, now));
  }
  refill(b, now);
  const double refilled = per_ms(b) * milliseconds_between(ticket.at, now);
  const double since = std::max(0.0, b.taken - ticket.taken_before[which]) + ticket.pending_output_before[which];
  // If the header was written when the request arrived: at least `least_early` is left if the bucket was refilled
  // before the other requests took from it, at most `most_early` if it never was full.
  const double least_early = std::min(b.limit, remaining + refilled) - since;
  const double most_early = std::min(b.limit, remaining + refilled - since);
  const double low = std::min(least_early, remaining - b.pending_output) - headroom(b);
  // The level is lowered by half of the difference: each header is wrong by as much as the estimates were, and
  // following the lowest of them would leave a part of the limit unused.
  if (const double most = std::max(most_early, remaining); b.level > most) b.level -= (b.level - most) / 2;
  b.least_lift = b.votes == 0 ? low - b.level : std::min(b.least_lift, low - b.level);
  b.votes = b.least_lift > 0 ? b.votes + 1 : 0;
  if (b.votes < votes_to_lift) return;
  b.level += b.least_lift;
  b.votes = 0;
}

/// Shrinks the window once for all requests that were in flight together: their failures are one event.
void rate_limiter::shrink(steady_time now, steady_time admitted) noexcept {
  if (admitted <= window_shrunk_) return;
  window_ = std::max(1.0, std::min(window_, static_cast<double>(in_flight_ + 1)) / 2);
  window_shrunk_ = now;
  window_grown_ = std::max(now, paused_until_);
}

void rate_limiter::pause(steady_time now, const limiter_outcome& outcome, double random) {
  const auto retry_after = outcome.retry_after > milliseconds{0} ? outcome.retry_after : settings_.default_pause;
  const double stretched = 1.0 + std::clamp(random, 0.0, 1.0) * settings_.pause_jitter_percent / 100.0;
  const milliseconds length{static_cast<int64_t>(static_cast<double>(retry_after.count()) * stretched)};
  paused_until_ = std::max(paused_until_, now + length);
}

/// Replaces what was expected of a request by what it took.
void rate_limiter::settle(steady_time now, const admission_ticket& ticket, const limiter_outcome& outcome) noexcept {
  const auto expected = amounts(ticket.expected);
  const auto later = outputs(ticket.expected);
  auto used = amounts(outcome.how == limiter_outcome::kind::answered ? outcome.used : token_demand{});
  if (outcome.how == limiter_outcome::kind::rate_limited) used[requests] = 0;  // The provider did not count it.
  for (size_t i = 0; i < buckets_.size(); ++i) {
    auto& b = buckets_[i];
    b.pending_output = std::max(0.0, b.pending_output - later[i]);
    b.outstanding = std::max(0.0, b.outstanding - expected[i]);
    if (!b.known) continue;
    refill(b, now);
    b.level = std::min(b.limit, b.level + expected[i] - used[i]);
  }
}

void rate_limiter::finished(steady_time now, const admission_ticket& ticket, const limiter_outcome& outcome,
                            double random) {
  if (in_flight_ > 0) --in_flight_;
  if (!heard_) {
    heard_ = true;
    window_ = std::max<double>(window_, settings_.heard_in_flight);
    window_grown_ = now;
  }
  settle(now, ticket, outcome);
  steer(requests, outcome.limits.requests, now, ticket);
  // As a rule the header "tokens" repeats the tighter of the other two; if input and output were both drawn from it,
  // half of the limit would be unused.
  const auto& said = outcome.limits;
  const bool repeats = (said.input_tokens.known && said.tokens.limit == said.input_tokens.limit) ||
                       (said.output_tokens.known && said.tokens.limit == said.output_tokens.limit);
  if (!repeats) steer(tokens, said.tokens, now, ticket);
  steer(input, outcome.limits.input_tokens, now, ticket);
  steer(output, outcome.limits.output_tokens, now, ticket);
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

}  // namespace cohort::claude
