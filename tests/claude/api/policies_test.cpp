#include <deque>
#include <ranges>

#include <gtest/gtest.h>

#include "claude/api/breaker.hpp"
#include "claude/api/rate_limiter.hpp"
#include "claude/api/retry_policy.hpp"
#include "tests/claude/api/virtual_traffic.hpp"

namespace cohort::claude {
namespace {

using std::chrono::seconds;

claude_settings settings() { return load_claude_settings(COHORT_SOURCE_DIR "/config/defaults.json").value(); }

call_failure failure(ec code, milliseconds retry_after = milliseconds{0}) {
  call_failure f;
  f.code = code;
  f.retry = retryable(code);
  f.retry_after = retry_after;
  return f;
}

TEST(retry_policy, backs_off_like_the_sdk) {
  const retry_policy uut{settings().retry};
  const auto f = failure(ec::overloaded);
  EXPECT_EQ(uut.after(1, seconds{1}, f, 0.0).delay, milliseconds{500});
  EXPECT_EQ(uut.after(2, seconds{1}, f, 0.0).delay, milliseconds{1000});
  EXPECT_EQ(uut.after(1, seconds{1}, f, 1.0).delay, milliseconds{375});
  auto patient = settings().retry;
  patient.attempts = 100;
  EXPECT_EQ(retry_policy{patient}.after(60, seconds{1}, f, 0.0).delay, seconds{8});
}

TEST(retry_policy, follows_the_providers_wish_and_keeps_its_bounds) {
  const retry_policy uut{settings().retry};
  EXPECT_EQ(uut.after(1, seconds{1}, failure(ec::rate_limited, seconds{17}), 0.9).delay, seconds{17});
  EXPECT_FALSE(uut.after(settings().retry.attempts, seconds{1}, failure(ec::overloaded), 0).again);
  EXPECT_FALSE(uut.after(1, settings().retry.longest_elapsed, failure(ec::overloaded), 0).again);
  EXPECT_FALSE(uut.after(1, seconds{1}, failure(ec::rate_limited, std::chrono::hours{1}), 0).again);
}

TEST(retry_policy, never_repeats_what_concerns_the_account_or_cannot_succeed) {
  const retry_policy uut{settings().retry};
  for (const auto code : {ec::authentication, ec::billing, ec::forbidden, ec::spend_limit}) {
    auto f = failure(code);
    f.retry = true;  // Even if a header says so.
    EXPECT_FALSE(uut.after(1, seconds{0}, f, 0).again) << name(code);
  }
  EXPECT_FALSE(uut.after(1, seconds{0}, failure(ec::request_invalid), 0).again);
}

struct breaker_test : testing::Test {
  breaker uut{settings().breaker};
  steady_time now{std::chrono::hours{1}};
  void fail_until_open() {
    for (uint32_t i = 0; i < settings().breaker.failures_to_open; ++i) {
      const auto a = uut.admit(now);
      ASSERT_TRUE(a.granted);
      uut.record(now, a.ticket, health::bad);
    }
  }
};

TEST_F(breaker_test, opens_after_failures_in_a_row_and_holds_the_work) {
  fail_until_open();
  EXPECT_EQ(uut.present(now), breaker::state::open);
  const auto held = uut.admit(now);
  EXPECT_FALSE(held.granted);
  EXPECT_EQ(held.wait, settings().breaker.first_open);
}

TEST_F(breaker_test, stays_closed_if_a_success_lies_between) {
  for (int i = 0; i < 100; ++i) uut.record(now, uut.admit(now).ticket, i % 5 == 0 ? health::good : health::bad);
  EXPECT_EQ(uut.present(now), breaker::state::closed);
}

TEST_F(breaker_test, sends_one_probe_and_closes_when_it_succeeds) {
  fail_until_open();
  now += settings().breaker.first_open;
  const auto probe = uut.admit(now);
  EXPECT_TRUE(probe.granted);
  EXPECT_FALSE(uut.admit(now).granted);
  uut.record(now, probe.ticket, health::good);
  EXPECT_EQ(uut.present(now), breaker::state::closed);
  EXPECT_TRUE(uut.admit(now).granted);
}

TEST_F(breaker_test, waits_longer_after_each_failed_probe_up_to_its_bound) {
  fail_until_open();
  milliseconds last{0};
  for (int i = 0; i < 10; ++i) {
    const auto wait = uut.admit(now).wait;
    EXPECT_GE(wait, last);
    last = wait;
    now += wait;
    uut.record(now, uut.admit(now).ticket, health::bad);
  }
  EXPECT_EQ(last, settings().breaker.longest_open);
}

TEST_F(breaker_test, does_not_count_what_began_before_it_opened) {
  const auto old = uut.admit(now);
  fail_until_open();
  now += settings().breaker.first_open;
  uut.record(now, old.ticket, health::good);
  EXPECT_EQ(uut.present(now), breaker::state::half_open);
  const auto probe = uut.admit(now);
  uut.record(now, old.ticket, health::bad);
  EXPECT_EQ(uut.present(now), breaker::state::half_open);
  uut.record(now, probe.ticket, health::nothing);  // A probe that was cancelled makes place for another.
  EXPECT_TRUE(uut.admit(now).granted);
}

TEST(rate_limiter, ramps_up_with_answers_and_imposes_nothing_else_without_headers) {
  rate_limiter uut{settings().rate_limit};
  steady_time now{std::chrono::hours{1}};
  std::deque<admission_ticket> out;
  const auto fill = [&] {
    for (auto a = uut.admit(now, {1000, 1000}); a.granted; a = uut.admit(now, {1000, 1000})) out.push_back(a.ticket);
  };
  fill();
  const auto& rules = settings().rate_limit;
  EXPECT_EQ(out.size(), rules.first_in_flight);
  for (int i = 0; i < 10; ++i) {
    now += rules.pace;
    fill();
  }
  EXPECT_EQ(out.size(), rules.first_in_flight + 10) << "one by one as long as nothing is known of the limits";
  const auto before = out.size();
  for (size_t i = 0; i < before; ++i) {
    uut.finished(now, out.front(),
                 {.how = limiter_outcome::kind::answered, .used = {}, .retry_after = {}, .limits = {}}, 0);
    out.pop_front();
  }
  fill();
  EXPECT_EQ(out.size(), rules.heard_in_flight + before);
  now += rules.double_every;
  fill();
  EXPECT_EQ(out.size(), 2 * (rules.heard_in_flight + before)) << "slow answers must not stop the ramp";
}

TEST(rate_limiter, begins_anew_after_idling) {
  rate_limiter uut{settings().rate_limit};
  steady_time now{std::chrono::hours{1}};
  for (int i = 0; i < 1000; ++i)
    uut.finished(now, uut.admit(now, {}).ticket,
                 {.how = limiter_outcome::kind::answered, .used = {}, .retry_after = {}, .limits = {}}, 0);
  EXPECT_GT(uut.most_in_flight(), 1000U);
  now += settings().rate_limit.idle + seconds{1};
  (void)uut.admit(now, {});
  EXPECT_EQ(uut.most_in_flight(), settings().rate_limit.heard_in_flight);
}

TEST(rate_limiter, few_follow_a_request_whose_refusal_is_on_its_way) {
  rate_limiter uut{settings().rate_limit};
  steady_time now{std::chrono::hours{1}};
  std::deque<std::pair<steady_time, admission_ticket>> out;
  constexpr size_t limit = 50;  // A minute, which the provider tells with its first refusal, 20 ms later.
  size_t refused = 0;
  for (const auto end = now + milliseconds{900}; now < end; now += milliseconds{1}) {
    for (auto a = uut.admit(now, {}); a.granted; a = uut.admit(now, {})) out.emplace_back(now, a.ticket);
    for (size_t i = limit; i < out.size(); ++i) {
      if (out[i].first + milliseconds{20} != now) continue;
      limiter_outcome no{
          .how = limiter_outcome::kind::rate_limited, .used = {}, .retry_after = seconds{1}, .limits = {}};
      no.limits.requests = {true, limit, 0, {}};
      uut.finished(now, out[i].second, no, 0);
      ++refused;
    }
  }
  EXPECT_GE(refused, 1U);
  EXPECT_LE(refused, 7U);
}

TEST(rate_limiter, pauses_on_429_and_comes_back_with_less_in_flight) {
  rate_limiter uut{settings().rate_limit};
  steady_time now{std::chrono::hours{1}};
  std::deque<admission_ticket> out;
  uut.finished(now, uut.admit(now, {}).ticket,
               {.how = limiter_outcome::kind::answered, .used = {}, .retry_after = {}, .limits = {}}, 0);
  now += milliseconds{1};
  for (int i = 0; i < 100; ++i) out.push_back(uut.admit(now, {}).ticket);
  for (const auto& ticket : out)
    uut.finished(now, ticket,
                 {.how = limiter_outcome::kind::rate_limited, .used = {}, .retry_after = seconds{10}, .limits = {}},
                 0.5);
  const auto held = uut.admit(now, {});
  EXPECT_FALSE(held.granted);
  EXPECT_EQ(held.wait, milliseconds{10'500});
  now += held.wait;
  EXPECT_TRUE(uut.admit(now, {}).granted);
  EXPECT_EQ(uut.most_in_flight(), 50U) << "one burst of failures halves once";
}

TEST(rate_limiter, lets_a_request_through_that_is_larger_than_its_bucket) {
  rate_limiter uut{settings().rate_limit};
  steady_time now{std::chrono::hours{1}};
  limiter_outcome said{.how = limiter_outcome::kind::answered, .used = {}, .retry_after = {}, .limits = {}};
  said.limits.input_tokens = {true, 1000, 1000, {}};
  uut.finished(now, uut.admit(now, {}).ticket, said, 0);
  EXPECT_TRUE(uut.admit(now, {5000, 0}).granted);
  const auto next = uut.admit(now, {1, 0});
  EXPECT_FALSE(next.granted);
  EXPECT_GT(next.wait, seconds{200});
}

/// 1,000 requests a minute and nothing else limited, answers after 120 s, no outage; estimates are off by 30 %.
virtual_traffic::setting slow_provider() {
  return {.requests = 1000,
          .input = 1e9,
          .output = 1e9,
          .latency_ms = 120'000,
          .minutes = 3,
          .outage_from_ms = 0,
          .outage_ms = 0,
          .counts_output_late = true,
          .stamps_late = false,
          .error = 0.3,
          .demand = 0};
}

TEST(rate_limiter, meets_few_refusals_and_uses_what_is_allowed) {
  struct row {
    double requests, input, output, latency_ms;
  };
  const row rows[] = {{1000, 1e9, 1e9, 200},  {1000, 1e9, 1e9, 20'000}, {1000, 1e6, 1e9, 3000},
                      {1000, 1e9, 2e5, 3000}, {6000, 1e9, 1e9, 200},    {1000, 2e6, 4e5, 60'000}};
  for (const auto& r : rows)
    for (const bool late : {false, true})
      for (const uint32_t seed : {1U, 2U, 3U, 4U}) {
        auto rules = slow_provider();
        rules.requests = r.requests;
        rules.input = r.input;
        rules.output = r.output;
        rules.latency_ms = r.latency_ms;
        rules.minutes = seed % 2 == 0 ? 3.0 : 10.0;
        rules.stamps_late = late;
        rules.demand = virtual_traffic::five_times_the_limit(rules);
        const auto got = virtual_traffic::traffic{rules, settings().rate_limit, seed, false}.run();
        SCOPED_TRACE(testing::Message() << r.requests << " rpm " << r.input << " in " << r.output << " out "
                                        << r.latency_ms << " ms late=" << late << " seed " << seed);
        EXPECT_LE(got.refused_percent(), 1.0);
        EXPECT_GE(got.used_percent(), 95.0);
      }
}

TEST(rate_limiter, believes_headers_that_are_older_than_the_window) {
  for (const uint32_t seed : std::views::iota(0U, 20U)) {
    auto rules = slow_provider();
    rules.input = 1e6;
    rules.demand = virtual_traffic::five_times_the_limit(rules);
    const auto got = virtual_traffic::traffic{rules, settings().rate_limit, seed, false}.run();
    EXPECT_GE(got.used_percent(), 95) << seed;
  }
}

}  // namespace
}  // namespace cohort::claude
