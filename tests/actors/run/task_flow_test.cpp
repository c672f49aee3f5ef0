// The flow of a batch's tasks as tables of events, without actors.

#include "actors/run/task_flow.hpp"

#include <gmock/gmock.h>

namespace cohort::actors {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const char* name_of(const flow_effect& each) {
  constexpr const char* names[]{"reserve",  "want_slot",        "release_slot",  "settle",    "store_intent",
                                "ask",      "store_answer",     "store_failure", "store_end", "acknowledge",
                                "validate", "deliver",          "wake",          "hold",      "tell",
                                "stop",     "delivery_problem", "exhausted",     "close"};
  return names[each.index()];
}

using names = std::vector<std::string>;

/// What is done, without what is only told.
names done(const flow_effects& effects) {
  names all;
  for (const auto& each : effects)
    if (!std::holds_alternative<effect::tell>(each)) all.emplace_back(name_of(each));
  return all;
}

template <class Effect>
Effect one(const flow_effects& effects) {
  for (const auto& each : effects)
    if (const auto* found = std::get_if<Effect>(&each)) return *found;
  ADD_FAILURE() << "there is no such effect";
  return {};
}

struct task_flow_test : testing::Test {
  std::shared_ptr<run_context> context = std::make_shared<run_context>();
  steady_time now{};
  std::vector<task_record> tasks;
  std::unique_ptr<task_flow> flow;

  task_flow_test() {
    context->model.id = "first-model";
    context->model.max_output_tokens = 64'000;
    context->model.context_tokens = 200'000;
    context->model.cards.push_back({});
    context->outcomes = outcome_policy{
        retry_limits{.unconfirmed = 2, .worker_lost = 8, .after_answer = {{ec::cut_off, 2}, {ec::no_code, 1}}}};
  }

  static task_id id(uint8_t number) { return {1, number}; }
  task_record& add(task_state state = task_state::planned) {
    auto& task = tasks.emplace_back();
    task.spec.id = id(static_cast<uint8_t>(tasks.size() - 1));
    task.spec.label = "task";
    task.spec.request.max_tokens = 1000;
    task.spec.request.prompt = "please";
    task.state = state;
    return task;
  }
  flow_effects begin(const std::vector<task_id>& in_doubt = {}) {
    flow = std::make_unique<task_flow>(context, 0, tasks, 4);
    return flow->start(now, {}, in_doubt, true);
  }
  flow_effects on(const flow_event& what) { return flow->on(now, what); }

  static event::funds granted(uint8_t task = 0) { return {id(task), {100}, {}}; }
  static event::slot slot(uint64_t lease = 7) { return {lease, {}}; }
  static event::stored stored(uint8_t task = 0) { return {id(task)}; }
  static event::refused refused(ec code = ec::io) { return {id(0), {code, "no"}}; }
  static event::late late(const std::string& text = "late") {
    event::late made{id(0), {}};
    made.answer.text = text;
    made.answer.stop = stop_reason::end_turn;
    return made;
  }
  static event::reported report(uint32_t attempt, stop_reason stop, uint64_t lease = 7) {
    event::reported made;
    made.report.task = id(0);
    made.report.attempt = attempt;
    made.report.lease = lease;
    made.report.answered = true;
    made.report.answer.text = "text";
    made.report.answer.stop = stop;
    made.report.answer.usage.input_tokens = 10;
    made.report.answer.usage.output_tokens = 10;
    return made;
  }
  static event::reported failure(ec code, billing billed, bool retry = true) {
    event::reported made;
    made.report.task = id(0);
    made.report.attempt = 1;
    made.report.lease = 7;
    made.report.failure.code = code;
    made.report.failure.billed = billed;
    made.report.failure.retry = retry;
    made.report.failure.message = "it failed";
    return made;
  }
  static event::validated valid() { return {id(0), ec::none, "test"}; }
  static event::delivered delivered() { return {{id(0), "/p/test.py", {}, false}}; }

  /// The events that bring the first task to `phase`.
  void bring_to(task_phase phase) {
    add();
    (void)begin(phase == task_phase::held ? std::vector{id(0)} : std::vector<task_id>{});
    const std::vector<std::pair<task_phase, flow_event>> way{
        {task_phase::granted, granted()},   {task_phase::storing_intent, slot()},
        {task_phase::asking, stored()},     {task_phase::storing_answer, report(1, stop_reason::end_turn)},
        {task_phase::validating, stored()}, {task_phase::delivering, valid()},
        {task_phase::ended, delivered()}};
    for (size_t i = 0; flow->phase_of(id(0)) != phase && i < way.size(); ++i) {
      (void)on(way[i].second);
      ASSERT_EQ(flow->phase_of(id(0)), way[i].first);
    }
    ASSERT_EQ(flow->phase_of(id(0)), phase);
  }
};

TEST_F(task_flow_test, reserves_stores_the_intent_and_sends_then_stores_the_answer_settles_reads_and_writes) {
  add();
  EXPECT_THAT(done(begin()), ElementsAre("reserve"));
  EXPECT_THAT(done(on(granted())), ElementsAre("want_slot"));
  EXPECT_THAT(done(on(slot())), ElementsAre("store_intent", "exhausted"));
  EXPECT_THAT(done(on(stored())), ElementsAre("ask"));
  EXPECT_THAT(done(on(report(1, stop_reason::end_turn))), ElementsAre("release_slot", "store_answer"));
  EXPECT_THAT(done(on(stored())), ElementsAre("acknowledge", "settle", "validate"));
  EXPECT_THAT(done(on(valid())), ElementsAre("deliver"));
  EXPECT_THAT(done(on(delivered())), ElementsAre("close"));
  EXPECT_EQ(flow->counts().delivered, 1u);
}

TEST_F(task_flow_test, asks_for_no_more_money_than_there_are_slots) {
  for (int i = 0; i < 10; ++i) add();
  EXPECT_THAT(done(begin()), ElementsAre("reserve", "reserve", "reserve", "reserve"));
  EXPECT_THAT(done(on(event::slots{5})), ElementsAre("reserve"));
}

TEST_F(task_flow_test, a_veto_defers_the_task) {
  add();
  (void)begin();
  EXPECT_THAT(done(on(event::funds{id(0), {100}, {ec::limit_reached, true, "the budget is spent"}})),
              ElementsAre("store_end", "exhausted"));
  EXPECT_THAT(done(on(stored())), ElementsAre("close"));
  EXPECT_EQ(flow->counts().deferred, 1u);
}

TEST_F(task_flow_test, an_attempt_says_what_it_asks_with_and_a_cut_off_answer_gets_twice_the_room) {
  add();
  (void)begin();
  (void)on(granted());
  EXPECT_EQ(one<effect::store_intent>(on(slot())).what.max_tokens, 1000u);
  (void)on(stored());
  (void)on(report(1, stop_reason::max_tokens));
  EXPECT_THAT(done(on(stored())), ElementsAre("acknowledge", "settle", "store_end"));
  EXPECT_THAT(done(on(stored())), ElementsAre("wake"));
  EXPECT_THAT(done(on(event::awake{id(0)})), ElementsAre("reserve"));
  (void)on(granted());
  const auto second = one<effect::store_intent>(on(slot(8))).what;
  EXPECT_EQ(second.max_tokens, 2000u);
  EXPECT_EQ(second.kind, attempt_kind::asked_again);
  EXPECT_EQ(one<effect::ask>(on(stored())).order.request.max_tokens, 2000u);
}

/// What earlier attempts found out, as the ledger tells it after a restart.
TEST_F(task_flow_test, nothing_that_an_attempt_learnt_is_forgotten_by_a_restart) {
  const past_attempt cut_off{1, attempt_kind::asked, attempt_outcome::answered, 1000, stop_reason::max_tokens, "m"};
  const past_attempt sent{2, attempt_kind::asked_again, attempt_outcome::open, 2000, stop_reason::unknown, "m"};
  const past_attempt cut_again{2,    attempt_kind::asked_again, attempt_outcome::answered,
                               2000, stop_reason::max_tokens,   "m"};
  struct row {
    std::vector<past_attempt> past;
    uint32_t asks_with;
  };
  for (const auto& [past, asks_with] :
       {row{{}, 1000}, row{{cut_off}, 2000}, row{{cut_off, sent}, 2000}, row{{cut_off, cut_again}, 4000}}) {
    tasks.clear();
    add().past = past;
    tasks[0].attempts = static_cast<uint32_t>(past.size());
    (void)begin();
    (void)on(granted());
    EXPECT_EQ(one<effect::store_intent>(on(slot())).what.max_tokens, asks_with) << past.size();
  }
}

TEST_F(task_flow_test, counts_of_earlier_attempts_bound_those_after_a_restart) {
  auto& task = add(task_state::answered);
  task.answer = "no code";
  task.stop = stop_reason::end_turn;
  task.attempts = 2;
  task.past = {{1, attempt_kind::asked, attempt_outcome::answered, 1000, stop_reason::end_turn, "m"},
               {2, attempt_kind::asked_again, attempt_outcome::answered, 1000, stop_reason::end_turn, "m"}};
  EXPECT_THAT(done(begin()), ElementsAre("validate", "exhausted"));
  const auto failed = on(event::validated{id(0), ec::no_code, "there is no code in it"});
  EXPECT_EQ(one<effect::store_end>(failed).what.state, task_state::failed) << "it was asked once more already";
}

TEST_F(task_flow_test, what_is_refused_ends_the_run_and_settles_what_is_owed) {
  struct row {
    task_phase phase;
    ec code;
    names effects;
  };
  const row table[]{{task_phase::reserving, ec::worker_lost, {"stop", "exhausted", "close"}},
                    {task_phase::storing_intent, ec::disk_full, {"release_slot", "settle", "stop", "close"}},
                    {task_phase::storing_answer, ec::io, {"settle", "stop", "close"}},
                    {task_phase::validating, ec::worker_lost, {"stop", "close"}},
                    {task_phase::delivering, ec::io, {"delivery_problem", "close"}},
                    {task_phase::delivering, ec::broken_code, {"store_end"}}};
  for (const auto& [phase, code, effects] : table) {
    tasks.clear();
    bring_to(phase);
    EXPECT_EQ(done(on(refused(code))), effects) << static_cast<int>(phase);
  }
}

TEST_F(task_flow_test, an_answer_that_could_not_be_stored_stays_charged_with_its_reservation) {
  bring_to(task_phase::storing_answer);
  const auto settled = one<effect::settle>(on(refused()));
  EXPECT_EQ(settled.reserved.count, 100);
  EXPECT_EQ(settled.spent.unconfirmed.count, 100);
  EXPECT_EQ(settled.spent.confirmed.count, 0);
}

TEST_F(task_flow_test, a_late_answer_is_read_at_once_unless_something_is_under_way) {
  struct row {
    task_phase phase;
    names effects;
  };
  const row table[]{{task_phase::held, {"validate"}},
                    {task_phase::reserving, {}},
                    {task_phase::granted, {"settle", "validate", "exhausted"}},
                    {task_phase::storing_intent, {}},
                    {task_phase::asking, {}},
                    {task_phase::storing_answer, {}},
                    {task_phase::validating, {}},
                    {task_phase::delivering, {}}};
  for (const auto& [phase, effects] : table) {
    tasks.clear();
    bring_to(phase);
    if (phase == task_phase::held) (void)on(event::slots{1});
    EXPECT_EQ(done(on(late())), effects) << static_cast<int>(phase);
  }
}

TEST_F(task_flow_test, nothing_is_sent_for_a_task_whose_answer_came_while_its_intent_went_to_disk) {
  bring_to(task_phase::storing_intent);
  (void)on(late());
  EXPECT_THAT(done(on(stored())), ElementsAre("release_slot", "store_failure"));
  const auto settled = on(stored());
  EXPECT_THAT(done(settled), ElementsAre("settle", "validate"));
  EXPECT_EQ(one<effect::settle>(settled).spent.total().count, 0);
  EXPECT_EQ(one<effect::validate>(settled).text, "late");
}

TEST_F(task_flow_test, of_two_answers_the_one_that_was_stored_first_is_read) {
  bring_to(task_phase::asking);
  (void)on(late("first"));
  (void)on(report(1, stop_reason::end_turn));
  EXPECT_EQ(one<effect::validate>(on(stored())).text, "first");
}

TEST_F(task_flow_test, a_drain_lets_end_what_is_under_way_and_hands_out_nothing_more) {
  struct row {
    task_phase phase;
    names effects;
    task_phase then;
  };
  const row table[]{{task_phase::held, {"close"}, task_phase::held},
                    {task_phase::reserving, {}, task_phase::reserving},
                    {task_phase::granted, {"settle", "exhausted", "close"}, task_phase::queued},
                    {task_phase::storing_intent, {}, task_phase::storing_intent},
                    {task_phase::asking, {}, task_phase::asking},
                    {task_phase::validating, {}, task_phase::validating}};
  for (const auto& [phase, effects, then] : table) {
    tasks.clear();
    bring_to(phase);
    if (phase == task_phase::held) (void)on(event::slots{1});
    EXPECT_EQ(done(on(event::drained{})), effects) << static_cast<int>(phase);
    EXPECT_EQ(flow->phase_of(id(0)), then);
  }
}

TEST_F(task_flow_test, a_run_that_stops_before_the_request_is_sent_owes_nothing) {
  bring_to(task_phase::storing_intent);
  (void)on(event::drained{});
  const auto unsent = on(stored());
  EXPECT_EQ(one<effect::store_failure>(unsent).what.failure.billed, billing::unbilled);
  EXPECT_THAT(done(on(stored())), ElementsAre("settle", "close"));
  EXPECT_EQ(flow->counts().planned, 1u) << "stopped is not failed";
}

TEST_F(task_flow_test, what_follows_a_failed_attempt_depends_on_whether_it_may_be_billed) {
  struct row {
    ec code;
    billing billed;
    names first;
    names after_it_is_stored;
  };
  const row table[]{{ec::request_invalid,
                     billing::unbilled,
                     {"release_slot", "store_failure"},
                     {"acknowledge", "settle", "store_end"}},
                    {ec::connection_lost,
                     billing::unknown,
                     {"release_slot", "store_failure"},
                     {"acknowledge", "settle", "store_end"}},
                    {ec::authentication,
                     billing::unbilled,
                     {"release_slot", "stop", "store_failure"},
                     {"acknowledge", "settle", "stop", "close"}}};
  for (const auto& [code, billed, first, after] : table) {
    tasks.clear();
    bring_to(task_phase::asking);
    EXPECT_EQ(done(on(failure(code, billed))), first) << name(code);
    const auto settled = on(stored());
    EXPECT_EQ(done(settled), after) << name(code);
    EXPECT_EQ(one<effect::settle>(settled).spent.unconfirmed.count, billed == billing::unknown ? 100 : 0);
  }
}

TEST_F(task_flow_test, a_report_of_a_lease_that_was_lost_adds_to_the_cost_and_to_nothing_else) {
  bring_to(task_phase::asking);
  EXPECT_THAT(done(on(event::lost{7})), ElementsAre("store_failure"));
  const auto late_report = on(report(1, stop_reason::end_turn));
  EXPECT_THAT(done(late_report), ElementsAre("release_slot", "store_answer"));
  EXPECT_TRUE(one<effect::store_answer>(late_report).late);
  EXPECT_EQ(flow->phase_of(id(0)), task_phase::storing_failure);
}

TEST_F(task_flow_test, a_held_task_is_asked_when_nobody_can_have_its_answer_any_more) {
  bring_to(task_phase::held);
  EXPECT_THAT(done(on(event::released{id(0)})), ElementsAre("reserve"));
  EXPECT_THAT(done(on(event::released{id(0)})), IsEmpty());
}

}  // namespace
}  // namespace cohort::actors
