#include "actors/run/model_fallback.hpp"

#include <gtest/gtest.h>

namespace cohort::actors {
namespace {

model_info model(const std::string& id, uint64_t context = 200'000, uint32_t output = 64'000) {
  model_info made;
  made.id = id;
  made.context_tokens = context;
  made.max_output_tokens = output;
  made.cards = {{0, {1000}, {1000}, {1000}, {1000}, {1000}}};
  return made;
}

completion_request request(size_t bytes = 1000, uint32_t max_tokens = 8000) {
  completion_request made;
  made.model = "a";
  made.prompt = std::string(bytes, 'x');
  made.max_tokens = max_tokens;
  made.effort = "high";
  return made;
}

struct model_fallback_test : ::testing::Test {
  steady_time now{std::chrono::hours{1}};
  model_fallback models{{model("a"), model("b"), model("c")}, milliseconds{2000}};
  void pass(int ms) { now += milliseconds{ms}; }
};

TEST_F(model_fallback_test, asks_the_first_model_as_long_as_it_is_well) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(models.choose(now, 0, request()), 0u);
  EXPECT_TRUE(models.has_next(0, request()));
  EXPECT_TRUE(models.has_next(1, request()));
  EXPECT_FALSE(models.has_next(2, request()));
}

TEST_F(model_fallback_test, passes_an_overloaded_model_over_and_comes_back_with_one_request_first) {
  models.overloaded(now, 0, milliseconds{0});
  EXPECT_EQ(models.choose(now, 0, request()), 1u);
  pass(1999);
  EXPECT_EQ(models.choose(now, 0, request()), 1u);
  pass(1);
  EXPECT_EQ(models.choose(now, 0, request()), 0u) << "one tries";
  EXPECT_EQ(models.choose(now, 0, request()), 1u) << "the others wait for what becomes of it";
  models.answered(0);
  EXPECT_EQ(models.choose(now, 0, request()), 0u);
  EXPECT_EQ(models.choose(now, 0, request()), 0u);
}

TEST_F(model_fallback_test, rests_again_when_the_one_that_tried_met_an_overload) {
  models.overloaded(now, 0, milliseconds{0});
  pass(2000);
  EXPECT_EQ(models.choose(now, 0, request()), 0u);
  models.overloaded(now, 0, milliseconds{5000});
  pass(4999);
  EXPECT_EQ(models.choose(now, 0, request()), 1u);
  pass(1);
  EXPECT_EQ(models.choose(now, 0, request()), 0u);
}

TEST_F(model_fallback_test, an_answer_of_the_fallback_says_nothing_about_the_first) {
  models.overloaded(now, 0, milliseconds{0});
  models.answered(1);
  EXPECT_EQ(models.choose(now, 0, request()), 1u);
}

TEST_F(model_fallback_test, goes_down_step_by_step_and_stays_on_the_last) {
  models.overloaded(now, 0, milliseconds{0});
  models.overloaded(now, 1, milliseconds{0});
  EXPECT_EQ(models.choose(now, 0, request()), 2u);
  models.overloaded(now, 2, milliseconds{0});
  EXPECT_EQ(models.choose(now, 0, request()), 2u) << "there the gateway holds it";
}

TEST_F(model_fallback_test, never_goes_back_up_for_a_task_that_came_down) {
  EXPECT_EQ(models.choose(now, 1, request()), 1u);
  EXPECT_EQ(models.choose(now, 2, request()), 2u);
  EXPECT_EQ(models.choose(now, 9, request()), 2u);
}

TEST(model_fallback, leaves_out_a_model_whose_window_is_too_small) {
  model_fallback models{{model("a"), model("small", 10'000), model("c")}, milliseconds{2000}};
  const steady_time now{std::chrono::hours{1}};
  models.overloaded(now, 0, milliseconds{0});
  EXPECT_EQ(models.choose(now, 0, request(1000)), 1u);
  EXPECT_EQ(models.choose(now, 0, request(5000)), 2u);
  model_fallback dead_end{{model("a"), model("small", 10'000)}, milliseconds{2000}};
  EXPECT_TRUE(dead_end.has_next(0, request(1000)));
  EXPECT_FALSE(dead_end.has_next(0, request(5000)));
  dead_end.overloaded(now, 0, milliseconds{0});
  EXPECT_EQ(dead_end.choose(now, 0, request(5000)), 0u);
}

TEST(model_fallback, adapts_a_request_to_what_the_other_model_takes) {
  auto modest = model("modest", 200'000, 4000);
  modest.takes_effort = false;
  const model_fallback models{{model("a"), modest, model("c")}, milliseconds{2000}};
  EXPECT_EQ(models.request_for(request(), 0).model, "a");
  const auto other = models.request_for(request(), 1);
  EXPECT_EQ(other.model, "modest");
  EXPECT_EQ(other.max_tokens, 4000u);
  EXPECT_EQ(other.effort, "");
  EXPECT_EQ(other.prompt, request().prompt);
  const auto third = models.request_for(request(), 2);
  EXPECT_EQ(third.max_tokens, 8000u);
  EXPECT_EQ(third.effort, "high");
}

}  // namespace
}  // namespace cohort::actors
