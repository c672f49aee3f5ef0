// Continuing a stored run, or planning another one.

#include "app/resume.hpp"

#include "app/stop_handler.hpp"
#include "state/batch_state_file.hpp"
#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

using testing::HasSubstr;

class resume_test : public app_test {
 protected:
  resume_test() : ledger_(open_ledger()) {
    write_modules(4);
    request.given = {{"min_complexity", "1"}, {"batch_size", "2"}};
  }

  expected<ready_run> make() {
    const auto here = context();
    auto stored = look_at_state(ledger_).value();
    auto how = resolve_run(here, stored);
    if (!how) return tl::unexpected{how.error()};
    return make_ready(here, ledger_, std::move(stored), std::move(*how), stop_, out);
  }
  run_record first_run() {
    auto ready = make();
    EXPECT_TRUE(ready && ready->run) << out.text();
    EXPECT_TRUE(state::write_batch_state(workspace, *ready->run, durability::later));
    end(ledger_, *ready->run, run_status::interrupted);
    out.said.clear();
    return *ready->run;
  }

  state::ledger ledger_;
  stop_handler stop_{workspace, out, 130};
};

TEST_F(resume_test, the_first_run_is_planned_and_told) {
  const auto ready = make().value();
  ASSERT_TRUE(ready.run);
  EXPECT_EQ(ready.run->tasks().planned, 4u);
  EXPECT_EQ(ready.run->batches.size(), 2u);
  EXPECT_EQ(out.plans, 1);
}

TEST_F(resume_test, an_unfinished_run_goes_on_where_it_is) {
  const auto first = first_run();
  request.given["concurrent"] = "6";
  const auto ready = make().value();
  EXPECT_EQ(ready.run->id, first.id);
  EXPECT_EQ(ledger_.newest_run()->value().settings.concurrent, 6u) << "what a start changes is stored";
  EXPECT_EQ(ledger_.newest_run()->value().status, run_status::running);
  EXPECT_THAT(out.text(), HasSubstr("continuing " + first.batch_id + ": 0 of 4 tasks are done, batch 1 of 2 is next"));
}

TEST_F(resume_test, options_that_choose_files_do_not_change_a_plan_that_goes_on) {
  first_run();
  request.exclude = {"unit_000.py"};
  EXPECT_EQ(make()->run->tasks().total(), 4u);
  EXPECT_EQ(out.said.front().first, notice_kind::warning);
  EXPECT_THAT(out.said.front().second, HasSubstr("frozen"));
}

TEST_F(resume_test, another_batch_size_makes_another_plan) {
  const auto first = first_run();
  request.given["batch_size"] = "1";
  const auto ready = make().value();
  EXPECT_NE(ready.run->id, first.id);
  EXPECT_EQ(ready.run->batches.size(), 4u);
  EXPECT_THAT(out.text(), HasSubstr("ask for another plan"));
}

TEST_F(resume_test, where_batching_brings_nothing_there_is_no_run_unless_it_is_forced) {
  request.given["batch_size"] = "10";
  EXPECT_FALSE(make()->run);
  EXPECT_FALSE(ledger_.newest_run()->has_value()) << "nothing of the plan is stored";
  request.force = true;
  EXPECT_TRUE(make()->run);
}

TEST_F(resume_test, a_project_without_gaps_has_no_run) {
  fs::remove_all(project / "unit_000.py");
  for (int i = 0; i < 4; ++i) fs::remove(project / fmt::format("unit_{:03}.py", i));
  EXPECT_FALSE(make()->run);
  EXPECT_THAT(out.text(), HasSubstr("there is nothing to do"));
}

TEST_F(resume_test, a_fallback_that_the_price_list_does_not_name_is_told) {
  request.given["model"] = "haiku";
  request.given["fallback_model"] = "auto";
  EXPECT_TRUE(make());
  EXPECT_THAT(out.text(), HasSubstr("no model stands in for"));
}

TEST_F(resume_test, a_view_that_tells_of_a_lost_ledger_ends_the_command) {
  auto run = first_run();
  run.batches.front().tasks.delivered = 1;
  run.batches.front().tasks.planned -= 1;
  EXPECT_TRUE(state::write_batch_state(workspace, run, durability::later));
  EXPECT_TRUE(refuse_if_ledger_was_lost(context(), run)) << "the ledger is there";
  const auto refused = refuse_if_ledger_was_lost(context(), std::nullopt);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::state_corrupt);
}

}  // namespace
}  // namespace cohort::app
