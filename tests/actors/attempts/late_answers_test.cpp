// Answers that come when nobody waits for them any more: from nodes that were taken for lost, or from before a restart.

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

struct late_answers : run_fixture {
  late_answers() {
    settings.concurrent = 1;
    provider->at_once = false;
  }

  completion answer_saying(const std::string& text, uint64_t output_tokens) const {
    auto good = good_answer(text, output_tokens).answer;
    good.request_id = "late-" + text;
    return good;
  }

  /// A node was given this attempt, in a start before this one.
  void give(uint32_t number, uint32_t attempt) {
    const auto known = ledger->attempt_state_of(stored().id, task(number).id, attempt);
    ASSERT_TRUE(known);
    if (!known->holder.empty()) return;
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(stored().id, intent{task(number).id, attempt, 1, {1000}, "nano-model", "a-node/life"}));
    ASSERT_TRUE(ledger->commit());
  }

  /// What the HUB does with a report that no worker waits for.
  late_outcome arrives(uint32_t number, uint32_t attempt, const std::string& text, uint64_t output_tokens = 100) {
    give(number, attempt);
    return arrives_from("a-node", number, attempt, text, output_tokens);
  }
  late_outcome arrives_from(const std::string& node, uint32_t number, uint32_t attempt, const std::string& text,
                            uint64_t output_tokens = 100) {
    late_report late;
    late.run = stored().id;
    late.node = node;
    late.report.task = task(number).id;
    late.report.attempt = attempt;
    late.report.answered = true;
    late.report.answer = answer_saying(text, output_tokens);
    late_outcome outcome;
    self->send(services.recorder, late);
    pass(milliseconds{50});  // until the group is committed
    self->receive([&](const late_outcome& x) { outcome = x; }, caf::after(std::chrono::seconds{0}) >> [] {});
    if (outcome.used) self->send(owner, answer_arrived{outcome.batch, late.report.task, late.report.answer});
    run();
    return outcome;
  }

  /// As the RECORDER stores it.
  void store(const answer_arrived& late) {
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(stored().id, attempt_done{late.task, 7, 1, late.answer, {100}, "nano-model"}));
    ASSERT_TRUE(ledger->commit());
  }

  std::string file(uint32_t number) const {
    const auto content = read_file(root / "out" / task(number).target);
    return content ? *content : content.error().message;
  }
};

TEST_F(late_answers, of_a_task_in_flight_is_delivered_once_and_the_other_is_spare) {
  plan(1);
  spawn_all();
  ASSERT_EQ(provider->calls.size(), 1u);
  EXPECT_TRUE(arrives(0, 7, "late").used);
  EXPECT_EQ(stored().tasks().delivered, 0u) << "what is in flight ends first";
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(0), "late");
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().duplicate_answers, 1u);
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(late_answers, of_a_waiting_task_means_that_it_is_not_asked) {
  plan(2);
  spawn_all();
  ASSERT_EQ(provider->calls.size(), 1u);
  EXPECT_TRUE(arrives(1, 1, "late").used);
  provider->at_once = true;
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(1), "late");
  EXPECT_EQ(provider->asked.count("task-1"), 0u);
  EXPECT_EQ(stored().duplicate_answers, 0u);
}

TEST_F(late_answers, of_a_task_in_a_batch_that_is_not_open_yet_is_judged_when_it_opens) {
  settings.batch_size = 1;
  plan(3);
  spawn_all();
  EXPECT_TRUE(arrives(1, 1, "loaded ahead").used);
  EXPECT_TRUE(arrives(2, 1, "not loaded yet").used);
  provider->at_once = true;
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(1), "loaded ahead");
  EXPECT_EQ(file(2), "not loaded yet");
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(late_answers, during_the_pause_before_another_attempt_mean_that_there_is_none) {
  provider->answer = [](const completion_request&, uint32_t) { return failed_call(ec::timeout, billing::unknown); };
  plan(1);
  give(0, 1);
  spawn_all();
  provider->answer_all();
  pass(milliseconds{60});  // Recorded as unconfirmed; the pause before the next attempt has begun.
  ASSERT_EQ(provider->calls.size(), 0u);
  EXPECT_TRUE(arrives(0, 1, "late").used);
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(0), "late");
  EXPECT_EQ(provider->total_asked(), 1u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000) << "what this machine has asked for, too";
}

TEST_F(late_answers, while_the_intent_of_another_attempt_goes_to_disk_mean_that_it_is_not_sent) {
  plan(2);
  spawn_all();
  give(1, 7);
  late_report late;
  late.run = stored().id;
  late.node = "a-node";
  late.report.task = task(1).id;
  late.report.attempt = 7;
  late.report.answered = true;
  late.report.answer = answer_saying("late", 100);
  self->send(services.recorder, late);
  run();
  provider->answer_all();
  actor_fixture::run();  // No time passes: the slot has gone to the other task, whose intent waits for its commit.
  self->send(owner, answer_arrived{0, task(1).id, late.report.answer});
  actor_fixture::run();
  provider->at_once = true;
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->asked.count("task-1"), 0u);
  EXPECT_EQ(file(1), "late");
  EXPECT_EQ(stored().spent().total().count, 200);
}

TEST_F(late_answers, come_once_and_a_second_one_only_costs) {
  plan(1);
  spawn_all();
  EXPECT_TRUE(arrives(0, 7, "first").used);
  const auto again = arrives(0, 7, "first");
  EXPECT_FALSE(again.fresh);
  const auto second = arrives(0, 8, "second", 30);
  EXPECT_TRUE(second.fresh);
  EXPECT_FALSE(second.used);
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(0), "first");
  EXPECT_EQ(stored().duplicate_answers, 2u);
}

TEST_F(late_answers, that_come_while_their_batch_is_read_again_open_it_once) {
  settings.batch_size = 2;
  retries.unconfirmed = 0;
  provider->answer = [](const completion_request& request, uint32_t) {
    return request.prompt < "task-2" ? failed_call(ec::timeout, billing::unknown) : good_answer();
  };
  plan(3);
  spawn_all();
  for (int i = 0; i < 2; ++i) {
    provider->answer_all();
    pass(milliseconds{60});
  }
  ASSERT_EQ(stored().tasks().failed, 2u);
  ASSERT_EQ(provider->calls.size(), 1u) << "the second batch is under way";
  std::vector<answer_arrived> both;
  for (uint32_t number : {0u, 1u}) {
    both.push_back({0, task(number).id, answer_saying("late", 100)});
    store(both.back());
  }
  for (const auto& late : both) self->send(owner, late);
  run();
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 3u);
  EXPECT_EQ(provider->total_asked(), 3u);
  EXPECT_EQ(
      std::count_if(events.begin(), events.end(),
                    [](const run_event& event) { return event.kind == event_kind::batch_started && event.batch == 0; }),
      2);
}

TEST_F(late_answers, that_come_while_their_batch_closes_are_delivered_all_the_same) {
  retries.unconfirmed = 0;
  provider->answer = [](const completion_request&, uint32_t) { return failed_call(ec::timeout, billing::unknown); };
  plan(1);
  spawn_all();
  provider->answer_all();
  const auto ended = [this] {
    return std::any_of(events.begin(), events.end(),
                       [](const run_event& event) { return event.kind == event_kind::task_ended; });
  };
  for (int i = 0; i < 1000 && !ended(); ++i)
    if (!sched.try_run_once()) sched.advance_time(milliseconds{1});
  ASSERT_TRUE(ended());
  const answer_arrived late{0, task(0).id, answer_saying("late", 100)};
  store(late);
  self->send(owner, late);
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(0), "late");
  EXPECT_EQ(stored().tasks().delivered, 1u);
}

TEST_F(late_answers, for_a_batch_that_opens_no_more_are_delivered_before_the_run_closes) {
  settings.batch_size = 1;
  max_batches = 1;
  plan(2);
  spawn_all();
  EXPECT_TRUE(arrives(1, 1, "late").used);
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(file(1), "late");
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(late_answers, settle_what_was_unconfirmed) {
  plan(1);
  {
    ASSERT_TRUE(ledger->begin());
    ASSERT_TRUE(ledger->record(stored().id, intent{task(0).id, 1, 1, {1000}, "nano-model", "a-node"}));
    ASSERT_TRUE(ledger->commit());
  }
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000);
  ASSERT_EQ(ledger->in_doubt(stored().id)->size(), 1u);
  EXPECT_EQ(ledger->in_doubt(stored().id)->front().holder, "a-node");
  spawn_all();
  const auto outcome = arrives(0, 1, "late", 300);
  EXPECT_EQ(outcome.settled.count, 1000);
  EXPECT_EQ(outcome.cost.count, 300);
  provider->answer_all();
  (void)finish();
  EXPECT_EQ(stored().spent().unconfirmed.count, 0);
}

TEST_F(late_answers, of_a_node_that_was_not_given_the_attempt_count_for_nothing) {
  plan(2);
  give(1, 1);
  spawn_all();
  for (const auto& node : {"another-node", "a-node/life", ""}) {
    const auto outcome = arrives_from(node, 1, 1, "planted");
    EXPECT_FALSE(outcome.taken);
    EXPECT_NE(outcome.refusal, "");
  }
  EXPECT_FALSE(arrives_from("a-node", 1, 2, "planted").taken) << "it was given another attempt";
  EXPECT_FALSE(arrives_from("a-node", 0, 1, "planted").taken) << "this machine asks for that one";
  EXPECT_EQ(stored().tasks().answered, 0u);
  EXPECT_EQ(stored().spent().confirmed.count, 0);
  provider->at_once = true;
  provider->answer_all();
  (void)finish();
}

TEST_F(late_answers, to_what_was_given_back_unsent_count_for_nothing) {
  plan(1);
  give(0, 7);
  attempt_failed unsent;
  unsent.task = task(0).id;
  unsent.attempt = 7;
  unsent.failure.code = ec::node_left;
  unsent.failure.billed = billing::unbilled;
  ASSERT_TRUE(ledger->begin());
  ASSERT_TRUE(ledger->record(stored().id, unsent));
  ASSERT_TRUE(ledger->commit());
  spawn_all();
  EXPECT_FALSE(arrives_from("a-node", 0, 7, "after all").taken) << "its money is granted to others";
  EXPECT_EQ(stored().spent().confirmed.count, 0);
  provider->at_once = true;
  provider->answer_all();
  (void)finish();
}

TEST_F(late_answers, with_a_usage_that_cannot_be_true_are_charged_with_what_was_reserved) {
  plan(2);
  spawn_all();
  const auto outcome = arrives(1, 1, "dear", ~uint64_t{0} >> 1);
  EXPECT_TRUE(outcome.taken) << "the node need not bring it again";
  EXPECT_EQ(outcome.settled.count, 1000);
  EXPECT_EQ(outcome.cost.count, 1000);
  EXPECT_EQ(stored().spent().confirmed.count, 1000);
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000) << "what is in flight here";
  provider->at_once = true;
  provider->answer_all();
  (void)finish();
}

TEST_F(late_answers, texts_of_tasks_that_nobody_was_given_are_not_kept) {
  plan(2);
  give(1, 1);
  spawn_all();
  late_report late;
  late.run = stored().id;
  late.node = "a-node";
  late.report.failure.code = ec::malformed_answer;
  late.report.failure.text = "half an answer";
  for (uint32_t i = 0; i < 20; ++i) {
    late.report.task = task_id{0xEEEE + i, i};
    late.report.attempt = i + 1;
    self->send(services.recorder, late);
  }
  late.report.task = task(1).id;
  late.report.attempt = 2;
  self->send(services.recorder, late);
  run();
  EXPECT_FALSE(std::filesystem::exists(workspace.unusable_folder()));
  late.report.attempt = 1;
  self->send(services.recorder, late);
  run();
  EXPECT_TRUE(std::filesystem::exists(workspace.unusable_file(to_string(task(1).id), 1)));
  provider->at_once = true;
  provider->answer_all();
  (void)finish();
}

}  // namespace
}  // namespace cohort::actors
