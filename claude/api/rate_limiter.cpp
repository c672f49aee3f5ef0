// Buckets are drawn down when a request is admitted, refilled at the allowed rate, corrected by what an answer really
// used, and held to what the headers say.

#include "claude/api/rate_limiter.hpp"

#include <algorithm>
#include <cmath>

namespace cohort::claude {

namespace {

constexpr milliseconds look_again{1000};  ///< When the ramp-up holds: what frees a place is a `finished`.
constexpr double widest_window = 1e6;
constexpr double longest_wait_ms = 24.0 * 3600 * 1000;
/// So many headers in a row have to agree before a level is lifted. Requests of one burst arrive in another order than
/// they left, so that a single header can be wrong by the whole burst.
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

/// What a request takes only while its answer is generated, after the headers of others may have been written.
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

/// The window of requests in flight grows with time as well as with answers, so that slow answers do not stop it. As
/// long as nothing has come back, nothing is known of the limits: then it grows one by one, so that the refusal which
/// may be on its way finds few to follow the request that it is for.
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
    // The headroom pays for estimates that are too low. What is larger than the bucket waits until it is full.
    const double needed = std::min(wanted[i] + headroom(b), b.limit);
    if (b.level < needed) wait_ms = std::max(wait_ms, (needed - b.level) / per_ms(b));
  }
  // A header's limit may be any number: what it makes of the wait is bounded.
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

/// Headers may have been written when the request arrived or when its answer began. Between the two readings
/// lies the truth, less what is in flight and has yet to be counted; the level is moved only if it lies outside.
void rate_limiter::steer(kind which, const rate_limit_window& said, steady_time now,
                         const admission_ticket& ticket) noexcept {
  if (!said.known) return;
  auto& b = buckets_[which];
  const auto remaining = static_cast<double>(said.remaining);
  const bool first = !b.known;
  b.known = true;
  b.limit = static_cast<double>(said.limit);
  if (first) {
    // As if the bucket had been full at our first request: what was taken since is known, and so is the rate. The
    // header then corrects it like any other. To take all that is in flight off `remaining` would count twice what
    // the provider has counted already.
    b.filled = now;
    b.level = std::min(b.limit, b.limit - b.taken + per_ms(b) * milliseconds_between(began_, now));
  }
  refill(b, now);
  const double refilled = per_ms(b) * milliseconds_between(ticket.at, now);
  const double since = std::max(0.0, b.taken - ticket.taken_before[which]) + ticket.pending_output_before[which];
  // Written when the request arrived: at least this is left if the bucket was filled before the others took from it, at
  // most that if it never was full.
  const double least_early = std::min(b.limit, remaining + refilled) - since;
  const double most_early = std::min(b.limit, remaining + refilled - since);
  const double low = std::min(least_early, remaining - b.pending_output) - headroom(b);
  // Half of the way: each header is off by what estimates were off, and following the lowest of them would leave a
  // part of the limit unused.
  if (const double most = std::max(most_early, remaining); b.level > most) b.level -= (b.level - most) / 2;
  b.least_lift = b.votes == 0 ? low - b.level : std::min(b.least_lift, low - b.level);
  b.votes = b.least_lift > 0 ? b.votes + 1 : 0;
  if (b.votes < votes_to_lift) return;
  b.level += b.least_lift;
  b.votes = 0;
}

/// Once for all requests that were in flight together: their failures are one event.
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
  if (outcome.how == limiter_outcome::kind::rate_limited) used[requests] = 0;  // It was not let in.
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
  // "tokens" repeats the tighter of the other two, as a rule; drawing input and output from that would halve it.
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
