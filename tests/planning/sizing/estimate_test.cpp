#include "planning/sizing/estimate.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/planning/prompt_fixture.hpp"

namespace cohort::planning {
namespace {

const estimate_rates& rates() {
  static const auto loaded = load_planning_defaults(config_folder()).value();
  return loaded.estimates;
}

TEST(estimate, counts_a_token_for_two_and_a_half_bytes_rounded_up) {
  EXPECT_EQ(estimate_task({10'001, 0, 1}, 8000, "", rates(), cheap_model()).input_tokens, 4001u);
}

TEST(estimate, is_ordered_and_its_worst_is_what_the_budget_reserves) {
  for (const uint64_t bytes : {0ULL, 1ULL, 5000ULL, 400'000ULL})
    for (const uint32_t units : {1u, 10u, 1000u}) {
      const auto result = estimate_task({bytes, bytes / 2, units}, 9000, "high", rates(), cheap_model());
      EXPECT_LE(result.low, result.expected);
      EXPECT_LE(result.expected, result.worst);
      EXPECT_LE(result.output_tokens, 9000u);
      EXPECT_EQ(result.worst, most_it_can_cost(prompt_token_bound(bytes), 9000, cheap_model()));
    }
}

TEST(estimate, expects_more_of_more_units_and_more_effort) {
  const auto of = [](uint32_t units, std::string_view effort) {
    return estimate_task({8000, 4000, units}, 16000, effort, rates(), cheap_model()).expected;
  };
  EXPECT_LT(of(1, ""), of(5, ""));
  EXPECT_LT(of(5, ""), of(5, "high"));
}

TEST(estimate, bounds_the_answer_by_configuration_and_model) {
  auto model = cheap_model();
  EXPECT_EQ(max_tokens_for({0, 0, 1}, rates(), model), rates().min_max_tokens);
  EXPECT_EQ(max_tokens_for({0, 900'000, 500}, rates(), model), rates().max_max_tokens);
  EXPECT_LE(rates().max_max_tokens, 16000u);
  model.max_output_tokens = 4096;
  EXPECT_EQ(max_tokens_for({0, 900'000, 500}, rates(), model), 4096u);
}

TEST(estimate, adds_up) {
  const auto one = estimate_task({8000, 4000, 3}, 9000, "", rates(), cheap_model());
  const std::vector<task_estimate> three(3, one);
  EXPECT_EQ(sum_of(three).worst.count, 3 * one.worst.count);
  EXPECT_EQ(sum_of(three).input_tokens, 3 * one.input_tokens);
}

TEST(estimate, refuses_numbers_that_make_no_sense) {
  const project_on_disk folder;
  const auto good = nlohmann::json::parse(read_file(config_folder() / "defaults.json", 1U << 20).value());
  const auto refused = [&](const char* group, const std::string& key, const nlohmann::json& value) {
    auto changed = good;
    changed[group][nlohmann::json::json_pointer{key}] = value;
    folder.write("defaults.json", changed.dump());
    const auto loaded = load_planning_defaults(folder.root());
    if (loaded || loaded.error().code != ec::config_invalid) return std::string{};
    return loaded.error().message;
  };
  using testing::HasSubstr;
  const std::vector<std::pair<const char*, std::string>> numbers{{"planning", "/max_prompt_bytes"},
                                                                 {"planning", "/max_units_per_part"},
                                                                 {"estimates", "/output_tokens_per_unit"},
                                                                 {"estimates", "/max_max_tokens"},
                                                                 {"estimates", "/low_output_percent"},
                                                                 {"estimates", "/output_percent_by_effort/low"},
                                                                 {"batches", "/auto_min_size"}};
  for (const auto& [group, key] : numbers)
    for (const auto& value :
         std::vector<nlohmann::json>{-1, 0, 1.5, "3", nullptr, true, 5'000'000'000, 1e30, nlohmann::json::array()})
      EXPECT_THAT(
          refused(group, key, value),
          testing::AllOf(HasSubstr("defaults.json"), HasSubstr("key \"" + std::string{group}),
                         HasSubstr("\"" + key.substr(key.rfind('/') + 1) + "\" must be a whole number from 1 to")))
          << key << " " << value;
  EXPECT_THAT(refused("estimates", "/output_percent_by_effort", 3), HasSubstr("must be an object"));
  EXPECT_THAT(refused("planning", "/max_promt_bytes", 3), HasSubstr("\"max_promt_bytes\" is not known"));
  EXPECT_THAT(refused("estimates", "/output_percent_by_effort/hihg", 3), HasSubstr("\"hihg\" is not known"));
  EXPECT_THAT(refused("estimates", "/min_max_tokens", 16'000), "");
  EXPECT_THAT(refused("estimates", "/max_max_tokens", 5'999), HasSubstr("\"min_max_tokens\" is above"));
  for (const auto* text : {R"({"planning": {"max_prompt_bytes": 1}})", R"({"planning": []})", "{", "[]"}) {
    folder.write("defaults.json", text);
    EXPECT_EQ(load_planning_defaults(folder.root()).error().code, ec::config_invalid) << text;
  }
}

}  // namespace
}  // namespace cohort::planning
