// Fills and empties the buckets. Levels are in requests or tokens; a minute fills an empty bucket.

#include "simulator/api/rate_buckets.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

namespace cohort::simulator {

rate_bucket::rate_bucket(uint64_t per_minute, steady_time now) noexcept
    : limit_(static_cast<double>(per_minute)), level_(limit_), refilled_(now) {}

void rate_bucket::refill(steady_time now) noexcept {
  const double minutes = std::chrono::duration<double, std::ratio<60>>(now - refilled_).count();
  if (minutes <= 0) return;
  level_ = std::min(limit_, level_ + minutes * limit_);
  refilled_ = now;
}

bool rate_bucket::can_take(double amount) const noexcept { return !limited() || level_ >= std::min(amount, limit_); }

void rate_bucket::take(double amount) noexcept {
  if (limited()) level_ -= amount;
}

double rate_bucket::seconds_until(double amount) const noexcept {
  return can_take(amount) ? 0 : (std::min(amount, limit_) - level_) / limit_ * 60;
}

double rate_bucket::seconds_until_full() const noexcept { return limited() ? (limit_ - level_) / limit_ * 60 : 0; }

uint64_t rate_bucket::remaining() const noexcept { return level_ > 0 ? static_cast<uint64_t>(level_) : 0; }

model_buckets::model_buckets(const rate_limits& limits, steady_time now) noexcept
    : requests_(limits.requests_per_minute, now),
      input_(limits.input_tokens_per_minute, now),
      output_(limits.output_tokens_per_minute, now) {}

uint32_t model_buckets::admit(uint64_t input_tokens, uint64_t output_tokens, steady_time now) noexcept {
  const auto in = static_cast<double>(input_tokens);
  const auto out = static_cast<double>(output_tokens);
  requests_.refill(now);
  input_.refill(now);
  output_.refill(now);
  const double wait = std::max({requests_.seconds_until(1), input_.seconds_until(in), output_.seconds_until(out)});
  if (wait > 0) return std::max(1U, static_cast<uint32_t>(std::ceil(wait)));
  requests_.take(1);
  input_.take(in);
  output_.take(out);
  return 0;
}

void model_buckets::append_headers(std::string& out, steady_time now) {
  const int64_t wall = wall_now().ms;
  const auto lines = [&](const char* what, rate_bucket& bucket) {
    if (!bucket.limited()) return;
    bucket.refill(now);
    const wall_time reset{wall + static_cast<int64_t>(bucket.seconds_until_full() * 1000)};
    fmt::format_to(std::back_inserter(out),
                   "anthropic-ratelimit-{0}-limit: {1}\r\nanthropic-ratelimit-{0}-remaining: {2}\r\n"
                   "anthropic-ratelimit-{0}-reset: {3}\r\n",
                   what, bucket.limit(), bucket.remaining(), to_iso8601(reset));
  };
  lines("requests", requests_);
  lines("input-tokens", input_);
  lines("output-tokens", output_);
  // "tokens" repeats the tighter of the two, as the API does.
  if (input_.limited() || output_.limited()) {
    const bool input_tighter = input_.limited() && (!output_.limited() || input_.remaining() <= output_.remaining());
    lines("tokens", input_tighter ? input_ : output_);
  }
}

}  // namespace cohort::simulator
