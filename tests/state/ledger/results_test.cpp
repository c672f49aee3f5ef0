// Which tasks stand in which file.

#include <gtest/gtest.h>

#include "tests/state/fixture.hpp"

namespace cohort::state {
namespace {

struct results_test : state_test {
  state::ledger ledger = open();
  fs::path file = project / "out/test_a";

  /// Another run that has a task for the source and target of "a".
  int64_t run_of(const std::string& name) {
    const auto run = ledger.begin_plan({}, "claude-sonnet-4-5").value();
    auto task = task_named(name);
    task.source = "a";
    task.target = "test_a";
    must(ledger.add_task(task));
    must(ledger.commit_plan({0}));
    must(ledger.begin());
    must(ledger.record(run, answer_for(name, 1)));
    must(ledger.commit());
    return run;
  }
  void deliver(int64_t run, const std::string& name, const fs::path& path) {
    must(ledger.begin());
    must(ledger.record(run, delivery_of(name, path)));
    must(ledger.commit());
  }
};

TEST_F(results_test, tells_the_tasks_of_a_target_over_all_runs) {
  const auto first = run_of("a");
  const auto second = run_of("b");
  deliver(first, "a", file);
  const auto tasks = ledger.tasks_for({"a", "test_a"}).value();
  ASSERT_EQ(tasks.size(), 2u);
  EXPECT_EQ(tasks[0].run, first);
  EXPECT_EQ(tasks[0].path, file);
  EXPECT_EQ(tasks[0].state, task_state::delivered);
  EXPECT_EQ(tasks[1].run, second);
  EXPECT_EQ(tasks[1].path, "");
  EXPECT_EQ(tasks[1].state, task_state::answered);
  EXPECT_TRUE(ledger.tasks_for({"b", "test_a"}).value().empty());
  EXPECT_TRUE(ledger.targets_of_several_tasks().value().empty());
  deliver(second, "b", file);
  const auto several = ledger.targets_of_several_tasks().value();
  ASSERT_EQ(several.size(), 1u);
  EXPECT_EQ(several[0].source, "a");
  EXPECT_EQ(several[0].target, "test_a");
}

TEST_F(results_test, tells_who_delivered_a_file_last) {
  const auto first = run_of("a");
  const auto second = run_of("b");
  deliver(first, "a", file);
  deliver(second, "b", file);
  const auto found = ledger.result_at(file).value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->run, second);
  EXPECT_EQ(found->task, task_named("b").id);
  EXPECT_EQ(found->source, "a");
  EXPECT_EQ(found->content, sha256("file"));
  EXPECT_FALSE(ledger.result_at(project / "other").value());
}

TEST_F(results_test, moves_a_task_to_the_file_that_holds_its_result_now) {
  const auto first = run_of("a");
  const auto second = run_of("b");
  deliver(first, "a", file);
  const auto other = project / "out/test_a_2";
  const std::vector<target_task> moved{{first, task_named("a").id, task_state::delivered, file.string(), {}}};
  EXPECT_EQ(ledger.set_targets(moved, other).error().code, ec::usage) << "outside of a transaction";
  must(ledger.begin());
  EXPECT_EQ(ledger.set_targets(moved, other).error().code, ec::usage) << "before the file is recorded";
  must(ledger.record(second, delivery_of("b", other)));
  must(ledger.set_targets(moved, other));
  must(ledger.commit());
  const auto tasks = ledger.tasks_for({"a", "test_a"}).value();
  for (const auto& task : tasks) EXPECT_EQ(task.path, other);
  const auto audit = ledger.audit({}).value();
  for (const auto& found : audit.findings) EXPECT_NE(found.kind, disagreement::altered) << found.where << found.what;
}

}  // namespace
}  // namespace cohort::state
