// A run whose model is overloaded: who answers, what it costs, what the ledger says, and that nothing is asked twice.

#include "state/batch_state_file.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

/// Ten nano-dollars for a token of output.
model_info dear_model(const std::string& id = "dear-model") {
  auto model = nano_model();
  model.id = id;
  model.cards = {{0, {0}, {10'000}, {0}, {0}, {0}}};
  return model;
}

struct fallback_test : run_fixture {
  std::map<std::string, uint32_t> asked_of;

  fallback_test() {
    fallbacks = {dear_model()};
    provider->answer = [this](const completion_request& request, uint32_t) {
      ++asked_of[request.model];
      if (request.model == overloaded_model) return failed_call(ec::overloaded, billing::unbilled);
      return good_answer("answer to " + request.prompt);
    };
  }
  std::string overloaded_model;
};

TEST_F(fallback_test, asks_only_the_plans_model_while_that_is_well) {
  plan(8);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(asked_of, (std::map<std::string, uint32_t>{{"nano-model", 8}}));
  EXPECT_FALSE(stored().fell_back());
}

TEST_F(fallback_test, goes_on_with_the_next_model_and_says_so_everywhere) {
  overloaded_model = provider->failing_model = "nano-model";
  plan(8);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  const auto run = stored();
  EXPECT_EQ(run.tasks().delivered, 8u);
  EXPECT_EQ(run.spent().confirmed.count, 8 * 100 * 10) << "at the prices of the model that answered";
  EXPECT_EQ(run.spent().unconfirmed.count, 0);
  EXPECT_EQ(run.model_id, "nano-model");
  ASSERT_EQ(run.by_model.size(), 1u);
  EXPECT_EQ(run.by_model.at("dear-model").answers, 8u);
  EXPECT_EQ(run.by_model.at("dear-model").cost.count, 8 * 100 * 10);
  EXPECT_TRUE(state::batch_state_agrees(workspace.batch_state_path(), run));
  EXPECT_NE(read_file(workspace.batch_state_path()).value().find("\"dear-model\": 8"), std::string::npos);
  const auto attempts = ledger->attempts(run.id).value();
  for (const auto& attempt : attempts) EXPECT_EQ(attempt.model, attempt.code == ec::none ? "dear-model" : "nano-model");
  const auto audit = ledger->audit({nano_model(), dear_model()}).value();
  EXPECT_TRUE(audit.findings.empty());
}

TEST_F(fallback_test, an_answer_of_the_fallback_delivers_the_task_for_good) {
  overloaded_model = provider->failing_model = "nano-model";
  plan(4);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  take_down();
  EXPECT_TRUE(ledger->delivered_before(task(0).id).value()) << "a new plan would leave it out";
  overloaded_model = provider->failing_model = "";
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(asked_of["dear-model"], 4u);
  EXPECT_EQ(asked_of["nano-model"], 0u);
}

TEST_F(fallback_test, falls_back_for_a_task_that_meets_529_again_and_again_although_the_provider_is_well) {
  overloaded_model = "nano-model";
  settings.concurrent = 1;
  plan(1);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(asked_of["nano-model"], 3u) << "as often as the rule sends again";
  EXPECT_EQ(asked_of["dear-model"], 1u);
  EXPECT_EQ(stored().tasks().delivered, 1u);
}

TEST_F(fallback_test, fails_the_task_when_the_last_model_is_overloaded_as_well) {
  fallbacks = {dear_model("second"), dear_model("third")};
  provider->answer = [this](const completion_request& request, uint32_t) {
    ++asked_of[request.model];
    return failed_call(ec::overloaded, billing::unbilled);
  };
  plan(1);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().failed, 1u);
  EXPECT_EQ(asked_of, (std::map<std::string, uint32_t>{{"nano-model", 3}, {"second", 3}, {"third", 3}}));
  EXPECT_EQ(stored().spent().total().count, 0);
}

TEST_F(fallback_test, returns_to_the_plans_model_when_it_recovers) {
  overloaded_model = provider->failing_model = "nano-model";
  settings.concurrent = 1;
  settings.batch_size = 40;
  plan(40);
  provider->answer = [this](const completion_request& request, uint32_t) {
    ++asked_of[request.model];
    if (asked_of["dear-model"] == 5) overloaded_model = provider->failing_model = "";
    return good_answer();
  };
  provider->at_once = false;
  spawn_all();
  for (int i = 0; i < 80 && !outcome(); ++i) {
    provider->answer_all();
    pass(milliseconds{300});
  }
  EXPECT_GE(asked_of["dear-model"], 5u);
  EXPECT_LE(asked_of["dear-model"], 15u);
  EXPECT_EQ(asked_of["nano-model"] + asked_of["dear-model"], 40u);
}

TEST_F(fallback_test, reserves_at_the_fallbacks_prices_and_keeps_the_limit) {
  overloaded_model = provider->failing_model = "nano-model";
  settings.budget = nano_dollars{25'000};  // 1000 tokens at most: 1,000 nano-dollars, or 10,000 of the dear model
  settings.concurrent = 8;
  provider->at_once = false;
  plan(5);
  spawn_all();
  pass(milliseconds{200});
  EXPECT_EQ(provider->calls.size(), 2u) << "a third reservation would pass the budget";
  provider->answer_all();
  for (int i = 0; i < 10; ++i) {
    pass(milliseconds{100});
    provider->answer_all();
  }
  const auto run = stored();
  EXPECT_LE(run.spent().total().count, 25'000);
  EXPECT_EQ(run.tasks().delivered, 5u) << "answers cost a tenth of their reservation";
}

TEST_F(fallback_test, does_not_fall_back_for_anything_but_an_overload) {
  provider->answer = [this](const completion_request& request, uint32_t) {
    ++asked_of[request.model];
    return failed_call(ec::server_error, billing::unbilled);
  };
  plan(1);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(asked_of.count("dear-model"), 0u);
}

TEST_F(fallback_test, overloads_that_may_be_billed_stay_charged_each_at_its_own_models_prices) {
  provider->answer = [this](const completion_request& request, uint32_t) {
    ++asked_of[request.model];
    return failed_call(ec::overloaded, billing::unknown);
  };
  plan(1);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000 + 2 * 10'000);
}

}  // namespace
}  // namespace cohort::actors
