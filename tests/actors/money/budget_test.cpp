#include "actors/money/budget.hpp"

#include <random>

#include <gtest/gtest.h>

namespace cohort::actors {
namespace {

constexpr nano_dollars dollar{1'000'000'000};
nano_dollars dollars(double amount) { return {static_cast<int64_t>(amount * 1e9)}; }

TEST(budget, waits_while_settling_may_make_room_and_vetoes_when_it_cannot) {
  budget money{{std::nullopt, dollars(1.0)}};
  EXPECT_EQ(money.reserve(0, dollars(0.6)).outcome, budget::verdict::granted);
  EXPECT_EQ(money.reserve(0, dollars(0.6)).outcome, budget::verdict::wait);
  EXPECT_EQ(money.reserve(0, dollars(1.1)).outcome, budget::verdict::vetoed);
  money.settle({0, dollars(0.6), {dollars(0.5), {}}});
  EXPECT_EQ(money.reserve(0, dollars(0.6)).outcome, budget::verdict::vetoed);
  EXPECT_EQ(money.reserve(0, dollars(0.5)).outcome, budget::verdict::granted);
}

TEST(budget, keeps_unconfirmed_spending_charged) {
  budget money{{std::nullopt, dollar}};
  ASSERT_EQ(money.reserve(0, dollar).outcome, budget::verdict::granted);
  money.settle({0, dollar, {{}, dollar}});
  EXPECT_EQ(money.run().reserved, nano_dollars{});
  EXPECT_EQ(money.reserve(0, nano_dollars{1}).outcome, budget::verdict::vetoed);
}

TEST(budget, limits_each_batch_by_itself) {
  budget money{{dollar, std::nullopt}};
  ASSERT_EQ(money.reserve(0, dollar).outcome, budget::verdict::granted);
  EXPECT_EQ(money.reserve(0, dollar).outcome, budget::verdict::wait);
  EXPECT_EQ(money.reserve(1, dollar).outcome, budget::verdict::granted);
}

TEST(budget, names_the_least_limit_that_would_work) {
  budget money{{std::nullopt, dollar}};
  const auto ruling = money.reserve(0, dollars(1.5));
  const auto answer = money.explain(0, dollars(1.5), ruling);
  EXPECT_EQ(answer.code, ec::limit_too_low);
  EXPECT_TRUE(answer.run_limit);
  EXPECT_NE(answer.reason.find("$1.50"), std::string::npos) << answer.reason;
}

TEST(budget, never_passes_a_limit_whatever_happens) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    std::mt19937 random{seed};
    const auto pick = [&](int64_t most) {
      return nano_dollars{std::uniform_int_distribution<int64_t>{0, most}(random)};
    };
    const budget_limits limits{pick(1000), pick(3000)};
    budget money{limits};
    std::vector<std::pair<uint32_t, nano_dollars>> held;
    for (int step = 0; step < 300; ++step) {
      const uint32_t batch = random() % 4;
      if (random() % 2 == 0) {
        const auto amount = pick(400);
        if (money.reserve(batch, amount).outcome == budget::verdict::granted) held.emplace_back(batch, amount);
      } else if (!held.empty()) {
        const auto [owner, amount] = held.back();
        held.pop_back();
        const auto billed = pick(amount.count);
        money.settle({owner, amount, random() % 3 == 0 ? spending{{}, amount} : spending{billed, {}}});
      }
      ASSERT_LE(money.run().spent.total() + money.run().reserved, *limits.run) << seed;
      for (uint32_t each = 0; each < 4; ++each)
        ASSERT_LE(money.batch(each).spent.total() + money.batch(each).reserved, *limits.each_batch) << seed;
    }
    for (const auto& [owner, amount] : held) money.settle({owner, amount, {}});
    EXPECT_EQ(money.run().reserved, nano_dollars{}) << "reservations leak";
  }
}

}  // namespace
}  // namespace cohort::actors
