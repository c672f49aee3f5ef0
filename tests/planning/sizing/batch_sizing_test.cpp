#include "planning/sizing/batch_sizing.hpp"

#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace cohort::planning {
namespace {

constexpr auto_batch_rule rule{8, 3};

std::vector<task_weight> weights(const std::vector<int64_t>& costs) {
  std::vector<task_weight> result;
  for (const auto cost : costs) result.push_back({{cost}, 5});
  return result;
}

TEST(batches, hold_the_wanted_number_and_the_last_one_the_rest) {
  const auto cut = cut_batches(45, 10).value();
  ASSERT_EQ(cut.size(), 5u);
  EXPECT_EQ(cut.front(), (batch_range{0, 10}));
  EXPECT_EQ(cut.back(), (batch_range{40, 5}));
  EXPECT_TRUE(cut_batches(0, 10)->empty());
}

TEST(batches, have_a_size_of_1_to_50) {
  for (const uint32_t size : {0u, 51u}) EXPECT_EQ(cut_batches(5, size).error().code, ec::usage);
  EXPECT_EQ(cut_batches(60, 50)->size(), 2u);
  EXPECT_EQ(cut_batches(3, 1)->size(), 3u);
}

TEST(batches, are_judged_as_the_specification_says) {
  EXPECT_EQ(advise_on_batching(0, 10).benefit, batching_benefit::nothing_to_do);
  EXPECT_EQ(advise_on_batching(10, 10).benefit, batching_benefit::none);
  EXPECT_NE(advise_on_batching(10, 10).message.find("generate-logical"), std::string::npos);
  EXPECT_EQ(advise_on_batching(11, 10).benefit, batching_benefit::minimal);
  EXPECT_EQ(advise_on_batching(19, 10).benefit, batching_benefit::minimal);
  EXPECT_EQ(advise_on_batching(20, 10).benefit, batching_benefit::recommended);
}

TEST(batches, cut_evenly_cover_all_tasks_in_order_within_the_bounds) {
  std::mt19937 random{7};
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> costs(random() % 700);
    for (auto& cost : costs) cost = static_cast<int64_t>(random() % (round % 2 == 0 ? 1000 : 1'000'000'000));
    size_t next = 0;
    for (const auto& batch : cut_batches_evenly(weights(costs), rule)) {
      EXPECT_EQ(batch.first, next);
      EXPECT_GE(batch.count, 1u);
      EXPECT_LE(batch.count, most_batch_size);
      next += batch.count;
    }
    EXPECT_EQ(next, costs.size());
  }
}

TEST(batches, cut_evenly_are_worth_about_the_same) {
  std::vector<int64_t> costs(40, 100);
  for (size_t i = 0; i < 10; ++i) costs[i] = 1000;  // The first ten are worth ten others each.
  const auto cut = cut_batches_evenly(weights(costs), rule);
  ASSERT_EQ(cut.size(), 8u);
  for (const auto& batch : cut) {
    const auto sum = std::accumulate(costs.begin() + static_cast<long>(batch.first),
                                     costs.begin() + static_cast<long>(batch.first + batch.count), int64_t{0});
    EXPECT_GE(sum, 800);
    EXPECT_LE(sum, 2200);
  }
  EXPECT_LT(cut.front().count, cut.back().count);
}

TEST(batches, cut_evenly_go_by_complexity_where_nothing_costs_anything) {
  std::vector<task_weight> tasks(30, {{0}, 1});
  for (size_t i = 0; i < 10; ++i) tasks[i].complexity = 10;
  const auto cut = cut_batches_evenly(tasks, rule);
  EXPECT_LT(cut.front().count, cut.back().count);
}

TEST(batches, cut_evenly_are_not_tiny) {
  EXPECT_EQ(cut_batches_evenly(weights({1, 1, 1, 1, 1, 1, 1}), rule).size(), 2u);
}

}  // namespace
}  // namespace cohort::planning
