// Which settings and models a run has, and whether the stored run goes on.

#include "app/resolve_run.hpp"

#include "tests/app/fixture.hpp"

namespace cohort::app {
namespace {

using testing::HasSubstr;

class resolve_run_test : public app_test {
 protected:
  [[nodiscard]] expected<resolved_run> resolve() const {
    const auto here = context();
    return resolve_run(here, look_at_state(here).value());
  }
  [[nodiscard]] error refusal() const {
    const auto resolved = resolve();
    EXPECT_FALSE(resolved);
    return resolved ? error{} : resolved.error();
  }
  run_record store_run(run_status status, run_settings settings) const {
    auto ledger = open_ledger();
    auto run = plan(ledger, settings, {task_named("a.py"), task_named("b.py"), task_named("c.py")});
    end(ledger, run, status);
    return run;
  }
};

TEST_F(resolve_run_test, a_first_run_takes_the_defaults) {
  const auto how = resolve().value();
  EXPECT_EQ(how.settings.model, "sonnet");
  EXPECT_EQ(how.model.id, sonnet_id);
  EXPECT_EQ(how.settings.output_directory, ".claude-testing/tests");
  EXPECT_TRUE(how.fallbacks.empty());
  EXPECT_FALSE(how.continues);
  EXPECT_FALSE(how.replaces);
}

TEST_F(resolve_run_test, later_layers_win) {
  write_users_file(R"({"model": "opus", "concurrent": 7, "budget": "9.00", "min_complexity": 2})");
  write(config / "templates" / "mine.json", R"({"model": "haiku", "concurrent": 8})");
  request.preset = "mine";
  request.given = {{"concurrent", "9"}};
  const auto how = resolve().value();
  EXPECT_EQ(how.settings.concurrent, 9u);
  EXPECT_EQ(how.settings.model, "haiku");
  EXPECT_EQ(how.settings.budget->count, 9'000'000'000);
  EXPECT_EQ(how.settings.min_complexity, 2u);
  EXPECT_EQ(how.settings.batch_size, 10u);
}

TEST_F(resolve_run_test, a_mistake_in_the_users_file_is_one_of_configuration) {
  write_users_file(R"({"concurent": 7})");
  const auto made = make_context(request);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ec::config_invalid);
  EXPECT_THAT(made.error().message, HasSubstr("\"concurent\" is not known"));
}

TEST_F(resolve_run_test, an_unfinished_run_goes_on_with_its_own_settings) {
  auto settings = usual();
  settings.concurrent = 5;
  settings.budget = nano_dollars{one_cent};
  store_run(run_status::interrupted, settings);
  write_users_file(R"({"model": "haiku", "concurrent": 7, "batch_size": 3})");
  const auto how = resolve().value();
  EXPECT_TRUE(how.continues);
  EXPECT_EQ(how.settings.concurrent, 5u);
  EXPECT_EQ(how.settings.model, "sonnet");
  EXPECT_EQ(how.settings.batch_size, 10u);
  EXPECT_EQ(how.settings.budget->count, one_cent);
}

TEST_F(resolve_run_test, a_raised_limit_continues_and_another_batch_size_plans_anew) {
  store_run(run_status::stopped_by_limit, usual());
  request.given = {{"budget", "5"}};
  EXPECT_TRUE(resolve()->continues);
  request.given = {{"batch_size", "4"}};
  const auto how = resolve().value();
  EXPECT_FALSE(how.continues);
  EXPECT_TRUE(how.replaces);
}

TEST_F(resolve_run_test, an_unfinished_run_keeps_the_model_of_its_plan_when_the_alias_moves) {
  store_run(run_status::interrupted, usual());
  replace_in_models("\"alias\": \"sonnet\"", "\"alias\": \"former\"");
  replace_in_models("\"alias\": \"haiku\"", "\"alias\": \"sonnet\"");
  replace_in_models("\"fallback\": \"haiku\"", "\"fallback\": \"sonnet\"");
  replace_in_models("\"fallback\": \"sonnet\",", "\"fallback\": \"claude-haiku-5-5\",");
  const auto how = resolve();
  ASSERT_TRUE(how) << how.error().message;
  EXPECT_TRUE(how->continues);
  EXPECT_EQ(how->model.id, sonnet_id);
}

/// A finished run was taken for one that continues, by the run but not by the dry run.
TEST_F(resolve_run_test, after_a_finished_run_an_alias_means_what_the_price_list_says) {
  store_run(run_status::finished, usual());
  replace_in_models(sonnet_id, "claude-sonnet-6");
  const auto how = resolve();
  ASSERT_TRUE(how) << how.error().message;
  EXPECT_EQ(how->model.id, "claude-sonnet-6");
  EXPECT_FALSE(how->continues);
  EXPECT_FALSE(how->replaces);
}

TEST_F(resolve_run_test, an_unfinished_run_whose_model_has_no_price_is_refused) {
  store_run(run_status::interrupted, usual());
  replace_in_models(sonnet_id, "claude-sonnet-6");
  EXPECT_EQ(refusal().code, ec::model_unknown);
  request.given = {{"model", "claude-sonnet-6"}};
  EXPECT_TRUE(resolve()->replaces);
}

TEST_F(resolve_run_test, what_replaced_plans_cost_counts_for_the_run_that_continues) {
  auto ledger = open_ledger();
  const auto first = plan(ledger, usual(), {task_named("a.py")});
  store(ledger, first.id, intent_for("a.py", 3 * one_cent));
  end(ledger, first, run_status::interrupted);
  const auto second = plan(ledger, usual(), {task_named("b.py")});
  end(ledger, second, run_status::interrupted);
  const auto here = context();
  const auto how = resolve_run(here, look_at_state(ledger).value()).value();
  EXPECT_TRUE(how.continues);
  EXPECT_EQ(how.carried.total().count, 3 * one_cent);
}

TEST_F(resolve_run_test, a_run_without_workers_needs_nodes) {
  request.given = {{"concurrent", "0"}};
  EXPECT_EQ(refusal().code, ec::usage);
  EXPECT_THAT(refusal().message, testing::StartsWith("--concurrent 0: "));
  request.listen.address = "127.0.0.1:0";
  EXPECT_TRUE(resolve());
  auto settings = usual();
  settings.concurrent = 0;
  store_run(run_status::interrupted, settings);
  request.given = {};
  EXPECT_TRUE(resolve()->continues);
  request.listen.address.reset();
  EXPECT_THAT(refusal().message, testing::StartsWith("this run was started with --concurrent 0"));
}

TEST_F(resolve_run_test, refuses_models_templates_and_options_that_there_are_not) {
  request.given = {{"model", "gpt"}};
  EXPECT_EQ(refusal().code, ec::model_unknown);
  request.given = {{"fallback_model", "sonnet"}};
  EXPECT_EQ(refusal().code, ec::usage) << "a model cannot stand in for itself";
  request.given = {};
  request.preset = "no-such";
  EXPECT_EQ(refusal().code, ec::usage);
  request.preset.clear();
  request.provider.options["--bill"] = {"bill.jsonl"};
  EXPECT_THAT(refusal().message, HasSubstr("--scenario, --set and --bill belong to --provider simulator"));
  request.provider.name = "simulator";
  EXPECT_TRUE(resolve());
}

TEST_F(resolve_run_test, notices_that_somebody_changed_what_is_stored) {
  const auto nothing = look_at_state(context()).value();
  EXPECT_TRUE(is_the_same_state(nothing, nothing));
  auto ledger = open_ledger();
  const auto run = plan(ledger, usual(), {task_named("a.py")});
  const auto planned = look_at_state(ledger).value();
  EXPECT_FALSE(is_the_same_state(nothing, planned));
  end(ledger, run, run_status::interrupted);
  EXPECT_TRUE(is_the_same_state(planned, look_at_state(ledger).value())) << "both are unfinished";
  auto other = run.settings;
  other.concurrent = 99;
  EXPECT_TRUE(ledger.update_run(run.id, other, run_status::interrupted));
  EXPECT_FALSE(is_the_same_state(planned, look_at_state(ledger).value()));
  EXPECT_TRUE(ledger.update_run(run.id, run.settings, run_status::finished));
  EXPECT_FALSE(is_the_same_state(planned, look_at_state(ledger).value()));
}

}  // namespace
}  // namespace cohort::app
