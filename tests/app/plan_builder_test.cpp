// One builder makes the plans of runs and of dry runs.

#include "app/plan_builder.hpp"

#include <algorithm>
#include <set>

#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

class listing_sink final : public plan_sink {
 public:
  expected<bool> was_delivered(const task_id& task) override {
    if (fails_to_look) return fail(ec::io, "the ledger cannot be read");
    return delivered.contains(task);
  }
  expected<void> take(task_spec&& task) override {
    if (taken.size() == most) return fail(ec::disk_full, "no room for more");
    taken.push_back(std::move(task));
    return {};
  }

  std::set<task_id> delivered;
  std::vector<task_spec> taken;
  size_t most = SIZE_MAX;
  bool fails_to_look = false;
};

class plan_builder_test : public app_test {
 protected:
  plan_builder_test() {
    write_modules(5);
    request.given = {{"min_complexity", "1"}, {"batch_size", "2"}};
  }
  [[nodiscard]] resolved_run wanted() const {
    const auto here = context();
    return resolve_run(here, look_at_state(here).value()).value();
  }
  [[nodiscard]] expected<built_plan> build() {
    const auto how = wanted();
    return build_plan(terms_of(context(), how.settings, how.model, false), out, sink);
  }

  listing_sink sink;
};

TEST_F(plan_builder_test, cuts_what_the_sink_took_into_batches) {
  const auto built = build().value();
  EXPECT_EQ(sink.taken.size(), 5u);
  EXPECT_EQ(built.outline.tasks, 5u);
  ASSERT_EQ(built.batches.size(), 3u);
  EXPECT_EQ(built.batches.back().first, 4u);
  EXPECT_EQ(built.batches.back().count, 1u);
  ASSERT_TRUE(built.outline.verdict);
  EXPECT_EQ(built.outline.verdict->benefit, planning::batching_benefit::recommended);
}

TEST_F(plan_builder_test, passes_over_what_was_delivered) {
  (void)build();
  const auto all = std::move(sink.taken);
  sink.taken.clear();
  sink.delivered = {all[0].id, all[3].id};
  const auto built = build().value();
  EXPECT_EQ(built.outline.delivered, 2u);
  EXPECT_EQ(built.outline.tasks, 3u);
  EXPECT_EQ(sink.taken.front().id, all[1].id);
}

TEST_F(plan_builder_test, the_sinks_first_error_ends_the_planning) {
  sink.most = 2;
  EXPECT_EQ(build().error().code, ec::disk_full);
  EXPECT_EQ(sink.taken.size(), 2u);
  sink.fails_to_look = true;
  EXPECT_EQ(build().error().code, ec::io);
}

TEST_F(plan_builder_test, nobody_asks_whether_batches_are_worth_while_in_one_go_or_for_a_rest) {
  EXPECT_TRUE(verdict_on(true, 10, 5, 0));
  EXPECT_FALSE(verdict_on(false, 10, 5, 0));
  EXPECT_FALSE(verdict_on(true, 0, 5, 0)) << "automatic sizes";
  EXPECT_FALSE(verdict_on(true, 10, 5, 1)) << "a small rest";
  EXPECT_TRUE(verdict_on(true, 10, 50, 1));
}

TEST_F(plan_builder_test, a_dry_run_plans_the_same_batches_and_writes_nothing) {
  const auto built = build().value();
  const auto before = std::distance(fs::recursive_directory_iterator{project}, {});
  const auto dry = plan_without_writing(context(), wanted(), out).value();
  ASSERT_EQ(dry.batches.size(), built.batches.size());
  size_t next = 0;
  for (const auto& batch : dry.batches) {
    task_estimate sum;
    for (const auto& source : batch.sources) {
      EXPECT_EQ(source, sink.taken[next].label);
      add(sum, sink.taken[next++].estimate);
    }
    EXPECT_EQ(batch.estimate.worst, sum.worst);
  }
  EXPECT_EQ(next, sink.taken.size());
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator{project}, {}), before);
}

TEST_F(plan_builder_test, what_is_left_of_a_run_is_what_waits_and_only_the_unpaid_costs) {
  auto ledger = open_ledger();
  const auto run = plan(ledger, usual(), {task_named("a.py"), task_named("b.py"), task_named("c.py")});
  store(ledger, run.id, task_ended{task_named("a.py").id, task_state::skipped, ec::source_gone, "gone"});
  const auto left = what_is_left(context(), ledger.newest_run()->value(), out).value();
  ASSERT_EQ(left.size(), 2u);
  EXPECT_THAT(left[0].sources, testing::ElementsAre("b.py"));
  EXPECT_THAT(left[1].sources, testing::ElementsAre("c.py"));
  EXPECT_EQ(left[0].estimate.worst.count, 5 * one_cent);
}

}  // namespace
}  // namespace cohort::app
