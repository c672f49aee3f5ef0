// Limits that let no task run are refused at once.

#include "app/limits_check.hpp"

#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

using testing::HasSubstr;

class limits_check_test : public app_test {
 protected:
  /// Four tasks in two batches, the cheaper ones in the second.
  limits_check_test()
      : ledger_(open_ledger()),
        run_(plan(ledger_, usual(),
                  {task_named("a.py", 9 * one_cent), task_named("b.py", 8 * one_cent), task_named("c.py", 3 * one_cent),
                   task_named("d.py", 4 * one_cent)})) {}

  [[nodiscard]] expected<void> check() const { return check_limits(ledger_, ledger_.newest_run()->value(), how_); }

  state::ledger ledger_;
  run_record run_;
  resolved_run how_;
};

TEST_F(limits_check_test, no_limit_is_always_fine) { EXPECT_TRUE(check()); }

TEST_F(limits_check_test, a_budget_must_let_the_cheapest_task_of_the_next_batch_run) {
  how_.settings.budget = nano_dollars{8 * one_cent};
  EXPECT_TRUE(check());
  how_.settings.budget = nano_dollars{8 * one_cent - 1};
  const auto refused = check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::limit_too_low);
  EXPECT_THAT(refused.error().message, HasSubstr("--budget"));
  EXPECT_THAT(refused.error().message, HasSubstr("The least that works is $0.08"));
}

TEST_F(limits_check_test, where_a_limit_does_not_stop_the_run_any_batch_will_do) {
  how_.settings.budget = nano_dollars{3 * one_cent};
  EXPECT_FALSE(check());
  how_.settings.on_limit = limit_policy::next;
  EXPECT_TRUE(check());
}

TEST_F(limits_check_test, what_was_spent_counts_also_on_plans_that_were_replaced) {
  how_.settings.budget = nano_dollars{9 * one_cent};
  how_.carried.unconfirmed = nano_dollars{2 * one_cent};
  const auto refused = check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::limit_reached);
  EXPECT_THAT(refused.error().message, HasSubstr("$0.02 is spent"));
}

TEST_F(limits_check_test, a_batchs_limit_is_that_of_its_own_spending) {
  store(ledger_, run_.id, intent_for("a.py", 9 * one_cent));
  how_.settings.cost_limit = nano_dollars{16 * one_cent};
  const auto refused = check();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::limit_reached);
  EXPECT_THAT(refused.error().message, HasSubstr("in batch 1"));
  how_.settings.cost_limit = nano_dollars{17 * one_cent};
  EXPECT_TRUE(check());
}

TEST_F(limits_check_test, a_batchs_limit_that_only_warns_refuses_nothing) {
  how_.settings.cost_limit = nano_dollars{1};
  EXPECT_FALSE(check());
  how_.settings.on_limit = limit_policy::warn;
  EXPECT_TRUE(check());
}

}  // namespace
}  // namespace cohort::app
