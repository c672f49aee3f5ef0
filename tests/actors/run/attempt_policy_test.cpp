#include "actors/run/attempt_policy.hpp"

#include <gtest/gtest.h>

namespace cohort::actors {
namespace {

using action = next_step::action;

retry_limits twice() {
  retry_limits limits;
  limits.unconfirmed = 2;
  limits.after_answer = {{ec::cut_off, 1}, {ec::broken_code, 1}};
  limits.most_output_tokens = 10'000;
  limits.pause = milliseconds{100};
  return limits;
}

call_failure failed(ec code, billing billed) {
  call_failure failure;
  failure.code = code;
  failure.billed = billed;
  failure.retry = true;
  return failure;
}

TEST(outcome_policy, asks_again_after_an_unknown_outcome_a_bounded_number_of_times) {
  const outcome_policy policy{twice()};
  const auto lost = failed(ec::connection_lost, billing::unknown);
  EXPECT_EQ(policy.after_failure(lost, 1).what, action::again);
  EXPECT_EQ(policy.after_failure(lost, 2).what, action::again);
  EXPECT_EQ(policy.after_failure(lost, 3).what, action::fail);
  EXPECT_LT(policy.after_failure(lost, 1).pause, policy.after_failure(lost, 2).pause);
}

TEST(outcome_policy, does_not_pay_again_for_an_answer_that_came_whole_but_without_a_credible_bill) {
  auto unusable = failed(ec::malformed_answer, billing::unknown);
  EXPECT_EQ(outcome_policy{twice()}.after_failure(unusable, 1).what, action::again);
  unusable.retry = false;
  EXPECT_EQ(outcome_policy{twice()}.after_failure(unusable, 1).what, action::fail);
}

TEST(outcome_policy, falls_back_after_an_unbilled_overload_if_there_is_another_model) {
  const outcome_policy policy{twice()};
  const auto step = policy.after_failure(failed(ec::overloaded, billing::unbilled), 0, true);
  EXPECT_EQ(step.what, action::again);
  EXPECT_TRUE(step.falls_back);
  EXPECT_EQ(policy.after_failure(failed(ec::overloaded, billing::unbilled), 0, false).what, action::fail);
  EXPECT_FALSE(policy.after_failure(failed(ec::overloaded, billing::unknown), 1, true).falls_back);
  EXPECT_FALSE(policy.after_failure(failed(ec::rate_limited, billing::unbilled), 0, true).falls_back);
  EXPECT_EQ(policy.after_failure(failed(ec::authentication, billing::unbilled), 0, true).what, action::stop_run);
}

TEST(outcome_policy, stops_the_run_for_errors_of_the_account) {
  const outcome_policy policy{twice()};
  for (auto code : {ec::authentication, ec::billing, ec::forbidden, ec::spend_limit})
    EXPECT_EQ(policy.after_failure(failed(code, billing::unbilled), 0).what, action::stop_run) << name(code);
}

TEST(outcome_policy, fails_what_no_repetition_can_mend) {
  const outcome_policy policy{twice()};
  EXPECT_EQ(policy.after_failure(failed(ec::request_invalid, billing::unbilled), 0).what, action::fail);
  EXPECT_EQ(policy.after_answer(ec::refused, 1, 1000).what, action::fail);
}

TEST(outcome_policy, gives_a_cut_off_answer_more_room_within_the_bound) {
  const outcome_policy policy{twice()};
  EXPECT_EQ(policy.after_answer(ec::cut_off, 1, 4000).max_tokens, 8000u);
  EXPECT_EQ(policy.after_answer(ec::cut_off, 1, 8000).max_tokens, 10'000u);
  EXPECT_EQ(policy.after_answer(ec::cut_off, 1, 10'000).what, action::fail);
  EXPECT_EQ(policy.after_answer(ec::cut_off, 2, 4000).what, action::fail);
}

}  // namespace
}  // namespace cohort::actors
