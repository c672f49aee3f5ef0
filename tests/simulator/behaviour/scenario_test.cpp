// Scenario files and what they draw.

#include "simulator/behaviour/scenario.hpp"

#include <gmock/gmock.h>

#include <filesystem>

#include "simulator/behaviour/fault_draws.hpp"

namespace cohort::simulator {
namespace {

using testing::HasSubstr;

TEST(scenario_test, every_scenario_in_config_is_valid) {
  size_t seen = 0;
  for (const auto& file : std::filesystem::directory_iterator(COHORT_SOURCE_DIR "/config/simulator")) {
    if (file.path().extension() != ".json" || file.path().stem() == "model-traits") continue;
    const auto read = load_scenario(file.path().string());
    EXPECT_TRUE(read) << (read ? "" : read.error().message);
    ++seen;
  }
  EXPECT_GE(seen, 4u);
}

TEST(scenario_test, refuses_unknown_keys_and_names_the_known_ones) {
  const auto read = parse_scenario(R"({"faults": {"overlaoded": 0.5}})", "test.json");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ec::config_invalid);
  EXPECT_THAT(read.error().message, HasSubstr("faults.overlaoded"));
  EXPECT_THAT(read.error().message, HasSubstr("overloaded"));
  EXPECT_FALSE(parse_scenario(R"({"fautls": {}})", "test.json"));
}

TEST(scenario_test, refuses_wrong_kinds_and_impossible_shares) {
  EXPECT_FALSE(parse_scenario(R"({"seed": -1})", "t"));
  EXPECT_FALSE(parse_scenario(R"({"faults": {"hang": "often"}})", "t"));
  EXPECT_FALSE(parse_scenario(R"({"faults": {"hang": 1.5}})", "t"));
  EXPECT_FALSE(parse_scenario(R"({"faults": {"hang": 0.6, "overloaded": 0.6}})", "t"));
  EXPECT_FALSE(parse_scenario(R"({"account": {"error": "bankrupt"}})", "t"));
  EXPECT_FALSE(parse_scenario("{", "t"));
  EXPECT_FALSE(parse_scenario("[]", "t"));
}

TEST(scenario_test, an_override_changes_one_value_or_nothing) {
  scenario rules;
  rules.faults.hang = 0.25;
  ASSERT_TRUE(override_scenario(rules, "faults.overloaded=0.5"));
  ASSERT_TRUE(override_scenario(rules, "seed=9"));
  ASSERT_TRUE(override_scenario(rules, "account.error=billing"));
  EXPECT_EQ(rules.faults.overloaded, 0.5);
  EXPECT_EQ(rules.faults.hang, 0.25);
  EXPECT_EQ(rules.seed, 9u);
  EXPECT_EQ(rules.account.error, account_error::billing);
  EXPECT_FALSE(override_scenario(rules, "faults.overloaded=0.9"));
  EXPECT_EQ(rules.faults.overloaded, 0.5);
  EXPECT_FALSE(override_scenario(rules, "faults.overloaded"));
  EXPECT_FALSE(override_scenario(rules, "nothing.known=1"));
}

TEST(scenario_test, an_unknown_name_is_answered_with_those_there_are) {
  const auto unknown = load_scenario("nope").error();
  EXPECT_EQ(unknown.code, ec::usage);
  EXPECT_THAT(unknown.message,
              testing::HasSubstr("there is no scenario 'nope'; there are: calm, liar, overloaded, rough-weather;"));
  EXPECT_EQ(load_scenario("/nowhere/nope.json").error().code, ec::not_found);
}

TEST(fates_test, the_same_content_and_attempt_meet_the_same_fate) {
  scenario rules;
  rules.faults.overloaded = 0.5;
  rules.latency = {10, 100, 1.0};
  size_t different = 0;
  for (uint64_t content = 1; content <= 50; ++content) {
    const auto once = draw_faults(rules, content, 1);
    const auto again = draw_faults(rules, content, 1);
    EXPECT_EQ(once.happens, again.happens);
    EXPECT_EQ(once.latency, again.latency);
    if (draw_faults(rules, content, 2).happens != once.happens) ++different;
  }
  EXPECT_GT(different, 10u) << "an attempt must be drawn anew, or a retry could never succeed";
}

TEST(fates_test, shares_and_latency_come_out_as_asked_for) {
  scenario rules;
  rules.faults.overloaded = 0.2;
  rules.faults.trickle = 0.1;
  rules.answers.chatty = 0.5;
  rules.latency = {0, 100, 0.5};
  constexpr size_t draws = 20'000;
  size_t overloaded = 0, trickled = 0, chatty = 0, under_median = 0;
  for (uint64_t content = 0; content < draws; ++content) {
    const auto drawn = draw_faults(rules, content, 1);
    overloaded += drawn.happens == fault::overloaded;
    trickled += drawn.happens == fault::trickle;
    chatty += drawn.form == answer_form::chatty;
    under_median += drawn.latency < std::chrono::milliseconds{100};
  }
  EXPECT_NEAR(static_cast<double>(overloaded) / draws, 0.2, 0.01);
  EXPECT_NEAR(static_cast<double>(trickled) / draws, 0.1, 0.01);
  EXPECT_NEAR(static_cast<double>(chatty) / draws, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(under_median) / draws, 0.5, 0.02);
}

}  // namespace
}  // namespace cohort::simulator
