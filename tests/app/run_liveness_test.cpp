// A run that says "running": is it at work, or was it killed?

#include "app/run_liveness.hpp"

#include "state/batch_state_file.hpp"
#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

class run_liveness_test : public app_test {};

expected<state::lock_holder> nobody() { return fail(ec::state_missing, "nobody"); }

TEST_F(run_liveness_test, a_run_that_nobody_holds_the_lock_of_was_killed) {
  run_record run;
  run.status = run_status::running;
  EXPECT_TRUE(was_killed(run, nobody()));
  EXPECT_FALSE(was_killed(run, state::lock_holder{}));
  EXPECT_FALSE(was_killed(run, fail(ec::permission_denied, "who knows"))) << "not known is not killed";
  for (const auto ended :
       {run_status::interrupted, run_status::stopped_by_limit, run_status::finished, run_status::failed}) {
    run.status = ended;
    EXPECT_FALSE(was_killed(run, nobody()));
  }
}

TEST_F(run_liveness_test, a_killed_run_becomes_an_interrupted_one_in_ledger_and_view) {
  auto ledger = open_ledger();
  EXPECT_FALSE(mark_killed_run_interrupted(workspace, ledger).value()) << "there is no run";
  plan(ledger, usual(), {task_named("a.py")});
  EXPECT_TRUE(mark_killed_run_interrupted(workspace, ledger).value());
  const auto run = ledger.newest_run()->value();
  EXPECT_EQ(run.status, run_status::interrupted);
  EXPECT_TRUE(state::batch_state_agrees(workspace.batch_state_path(), run));
  EXPECT_FALSE(mark_killed_run_interrupted(workspace, ledger).value()) << "once is enough";
}

TEST_F(run_liveness_test, a_run_that_ended_is_left_alone) {
  auto ledger = open_ledger();
  const auto run = plan(ledger, usual(), {task_named("a.py")});
  end(ledger, run, run_status::failed);
  EXPECT_FALSE(mark_killed_run_interrupted(workspace, ledger).value());
  EXPECT_EQ(ledger.newest_run()->value().status, run_status::failed);
}

}  // namespace
}  // namespace cohort::app
