#include "tests/actors/fixture.hpp"

#include <gmock/gmock.h>

#include "state/batch_state_file.hpp"

namespace cohort::actors {
namespace {

using ::testing::HasSubstr;

struct run_test : run_fixture {};

TEST_F(run_test, delivers_every_task_and_counts_its_cost) {
  plan(12);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  const auto run = stored();
  EXPECT_EQ(run.tasks().delivered, 12u);
  EXPECT_EQ(run.spent().confirmed.count, 12 * 100);
  EXPECT_EQ(run.spent().unconfirmed.count, 0);
  EXPECT_EQ(provider->total_asked(), 12u);
  EXPECT_EQ(read_file(root / "out/file-11.txt").value(), "answer to task-11");
  EXPECT_TRUE(state::batch_state_agrees(workspace.batch_state_path(), run));
}

TEST_F(run_test, keeps_no_more_in_flight_than_there_are_workers) {
  provider->at_once = false;
  settings.concurrent = 4;
  plan(12);
  spawn_all();
  for (int round = 0; round < 20; ++round) {
    provider->answer_all();
    run();
  }
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->most_in_flight, 4u);
}

TEST_F(run_test, keeps_batches_strictly_in_order_when_told_to) {
  provider->at_once = false;
  settings.parallel_batches = 1;
  settings.concurrent = 10;
  plan(10);
  spawn_all();
  EXPECT_EQ(provider->calls.size(), 5u);
  provider->calls.front().done(good_answer());
  provider->calls.pop_front();
  pass(milliseconds{100});
  EXPECT_EQ(provider->calls.size(), 4u) << "the second batch began before the first one ended";
  provider->answer_all();
  pass(milliseconds{100});
  EXPECT_EQ(provider->calls.size(), 5u);
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::finished);
}

TEST_F(run_test, starts_the_next_batch_when_workers_would_idle) {
  provider->at_once = false;
  settings.concurrent = 8;
  plan(15);
  spawn_all();
  EXPECT_EQ(provider->calls.size(), 8u);
  for (int round = 0; round < 5; ++round) {
    provider->answer_all();
    run();
  }
  EXPECT_EQ(finish().status, run_status::finished);
}

TEST_F(run_test, a_drain_finishes_what_is_in_flight_and_keeps_the_rest) {
  provider->at_once = false;
  settings.concurrent = 3;
  plan(12);
  spawn_all();
  ASSERT_EQ(provider->calls.size(), 3u);
  self->send(owner, drain{});
  run();
  EXPECT_FALSE(outcome());
  provider->answer_all();
  run();
  const auto ended = finish();
  EXPECT_EQ(ended.status, run_status::interrupted);
  EXPECT_EQ(ended.code, ec::interrupted);
  EXPECT_EQ(stored().tasks().delivered, 3u);
  EXPECT_EQ(stored().tasks().planned, 9u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 0);
}

TEST_F(run_test, stopping_now_leaves_what_was_in_flight_charged_and_resumes_without_asking_twice) {
  provider->at_once = false;
  settings.concurrent = 3;
  plan(6);
  spawn_all();
  ASSERT_EQ(provider->calls.size(), 3u);
  self->send(owner, stop_now{});
  run();
  EXPECT_EQ(finish().code, ec::interrupted);
  EXPECT_EQ(stored().spent().unconfirmed.count, 3 * 1000);
  take_down();
  provider->at_once = true;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 6u);
  EXPECT_EQ(provider->total_asked(), 9u);
  EXPECT_EQ(stored().spent().confirmed.count, 600);
}

TEST_F(run_test, resumes_by_identity_and_never_asks_for_what_is_stored) {
  max_batches = 1;
  plan(12);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::interrupted);
  EXPECT_EQ(stored().tasks().delivered, 5u);
  take_down();
  max_batches = 0;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  for (const auto& [prompt, times] : provider->asked) EXPECT_EQ(times, 1u) << prompt;
}

TEST_F(run_test, a_failed_task_does_not_stop_the_others) {
  provider->answer = [](const completion_request& request, uint32_t) {
    return request.prompt == "task-3" ? failed_call(ec::request_invalid, billing::unbilled, false) : good_answer();
  };
  plan(7);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().failed, 1u);
  EXPECT_EQ(stored().tasks().delivered, 6u);
  EXPECT_EQ(stored().spent().total().count, 600);
}

TEST_F(run_test, sends_unbilled_failures_again_under_the_same_reservation) {
  provider->answer = [](const completion_request&, uint32_t times) {
    return times < 3 ? failed_call(ec::overloaded, billing::unbilled) : good_answer();
  };
  plan(3);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 3u);
  EXPECT_EQ(stored().spent().total().count, 300);
  EXPECT_EQ(ledger->attempts(stored().id).value().size(), 3u);
}

TEST_F(run_test, waits_for_a_provider_that_fails_as_a_whole_and_fails_no_task) {
  provider->is_failing = true;
  provider->answer = [](const completion_request&, uint32_t) { return failed_call(ec::overloaded, billing::unbilled); };
  plan(3);
  spawn_all();
  pass(std::chrono::seconds{30});
  EXPECT_FALSE(outcome());
  EXPECT_EQ(stored().tasks().failed, 0u);
  provider->is_failing = false;
  provider->answer = [](const completion_request&, uint32_t) { return good_answer(); };
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 3u);
}

TEST_F(run_test, a_file_that_cannot_be_written_keeps_its_paid_answer_and_does_not_stop_the_others) {
  plan(4);
  std::filesystem::create_directories(root / "out");
  std::filesystem::create_directory_symlink("/", root / "out/elsewhere");
  take_down();
  ASSERT_TRUE(ledger->begin_plan(settings, "nano-model"));
  auto outward = task(100);
  outward.target = "elsewhere/file.txt";
  ASSERT_TRUE(ledger->add_task(outward));
  ASSERT_TRUE(ledger->add_task(task(101)));
  ASSERT_TRUE(ledger->commit_plan({0, 0}));
  spawn_all();
  EXPECT_EQ(finish().status, run_status::failed);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().tasks().answered, 1u);
  take_down();
  std::filesystem::remove(root / "out/elsewhere");
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->total_asked(), 2u) << "the stored answer was paid for twice";
}

TEST_F(run_test, charges_each_attempt_with_an_unknown_outcome) {
  provider->answer = [](const completion_request&, uint32_t times) {
    return times == 1 ? failed_call(ec::connection_lost, billing::unknown) : good_answer();
  };
  plan(2);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 2u);
  EXPECT_EQ(stored().spent().unconfirmed.count, 2 * 1000);
  EXPECT_EQ(stored().spent().confirmed.count, 200);
}

TEST_F(run_test, pays_for_a_broken_answer_and_asks_once_more) {
  provider->answer = [](const completion_request& request, uint32_t times) {
    return good_answer(request.prompt == "task-0" || times == 1 ? "broken" : "whole");
  };
  plan(2);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().tasks().failed, 1u);
  EXPECT_EQ(stored().spent().confirmed.count, 400);
}

TEST_F(run_test, an_error_of_the_account_stops_the_run_and_fails_no_task) {
  provider->answer = [](const completion_request&, uint32_t) {
    return failed_call(ec::authentication, billing::unbilled, false);
  };
  settings.concurrent = 2;
  plan(10);
  spawn_all();
  const auto ended = finish();
  EXPECT_EQ(ended.status, run_status::failed);
  EXPECT_EQ(ended.code, ec::authentication);
  EXPECT_LE(provider->total_asked(), 2u);
  EXPECT_EQ(stored().tasks().planned, 10u);
}

TEST_F(run_test, a_budget_defers_what_does_not_fit_and_a_higher_one_continues) {
  settings.budget = nano_dollars{1550};  // Five tasks of 100, and room for a reservation of 1000 until then.
  settings.concurrent = 2;
  plan(12);
  spawn_all();
  const auto ended = finish();
  EXPECT_EQ(ended.status, run_status::stopped_by_limit);
  EXPECT_EQ(stored().tasks().delivered, 6u);
  EXPECT_GT(stored().tasks().deferred, 0u);
  EXPECT_LE(stored().spent().total(), *settings.budget);
  take_down();
  settings.budget = nano_dollars{100'000};
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->total_asked(), 12u);
}

TEST_F(run_test, a_budget_for_just_one_task_lets_that_one_run) {
  settings.budget = nano_dollars{1000};
  plan(3);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::stopped_by_limit);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(run_test, a_batch_limit_stops_the_run_or_goes_on_with_the_next_batch) {
  settings.cost_limit = nano_dollars{1250};
  plan(10);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::stopped_by_limit);
  EXPECT_EQ(stored().batches[1].tasks.delivered, 0u);
  take_down();
  settings.on_limit = limit_policy::next;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::stopped_by_limit);
  EXPECT_EQ(stored().batches[0].tasks.delivered, 3u);
  EXPECT_EQ(stored().batches[1].tasks.delivered, 3u);
  for (const auto& batch : stored().batches) EXPECT_LE(batch.spent.total(), *settings.cost_limit);
}

TEST_F(run_test, warns_at_half_four_fifths_and_all_of_a_limit_that_is_not_kept) {
  settings.cost_limit = nano_dollars{500};
  settings.on_limit = limit_policy::warn;
  settings.concurrent = 1;
  plan(5);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  std::vector<std::string> warnings;
  for (const auto& event : events)
    if (event.kind == event_kind::warning) warnings.push_back(event.text);
  ASSERT_EQ(warnings.size(), 3u);
  EXPECT_NE(warnings[0].find("60 %"), std::string::npos) << warnings[0];
  EXPECT_NE(warnings[2].find("100 %"), std::string::npos) << warnings[2];
}

TEST_F(run_test, skips_a_task_whose_source_is_gone_or_changed) {
  open_ledger();
  ASSERT_TRUE(ledger->begin_plan(settings, "nano-model"));
  for (uint32_t i = 0; i < 3; ++i) {
    auto spec = task(i);
    spec.source = "source-" + std::to_string(i);
    spec.source_digest = sha256("old");
    ASSERT_TRUE(ledger->add_task(spec));
  }
  ASSERT_TRUE(ledger->commit_plan({0, 0, 0}));
  ASSERT_TRUE(replace_file(root / "source-0", "old", durability::later));
  ASSERT_TRUE(replace_file(root / "source-1", "new", durability::later));
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 1u);
  EXPECT_EQ(stored().tasks().skipped, 2u);
  EXPECT_EQ(provider->total_asked(), 1u);
}

TEST_F(run_test, writes_again_what_a_power_cut_took_but_not_what_the_user_changed) {
  provider->at_once = false;
  settings.concurrent = 10;
  settings.batch_size = 10;
  plan(10);
  spawn_all();
  for (int i = 0; i < 9; ++i) {
    provider->calls.front().done(good_answer("answer to " + provider->calls.front().request.prompt));
    provider->calls.pop_front();
  }
  pass(milliseconds{100});
  ASSERT_EQ(stored().tasks().delivered, 9u);
  ASSERT_EQ(ledger->unsynced().value().size(), 9u);
  take_down();  // As a crash would: the batch is not closed, its files are not synced.
  ASSERT_TRUE(replace_file(root / "out/file-0.txt", "", durability::later));
  std::filesystem::remove(root / "out/file-1.txt");
  ASSERT_TRUE(replace_file(root / "out/file-2.txt", "edited by the user", durability::later));
  provider->at_once = true;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(read_file(root / "out/file-0.txt").value(), "answer to task-0");
  EXPECT_EQ(read_file(root / "out/file-1.txt").value(), "answer to task-1");
  EXPECT_EQ(read_file(root / "out/file-2.txt").value(), "edited by the user");
}

TEST_F(run_test, a_drain_does_not_wait_for_a_worker_that_rests_before_sending_again) {
  provider->answer = [](const completion_request&, uint32_t) { return failed_call(ec::overloaded, billing::unbilled); };
  plan(3);
  spawn_all();
  self->send(owner, drain{});
  pass(milliseconds{50});
  const auto ended = outcome();
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, ec::interrupted);
  EXPECT_EQ(stored().tasks().planned, 3u);
}

TEST_F(run_test, never_overwrites_a_file_that_is_not_ours) {
  plan(1);
  ASSERT_TRUE(replace_file(root / "out/file-0.txt", "the user's own", durability::later));
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(read_file(root / "out/file-0.txt").value(), "the user's own");
  EXPECT_EQ(read_file(root / "out/file-0.txt.2").value(), "answer to task-0");
}

TEST_F(run_test, the_states_add_up_in_every_event) {
  provider->answer = [](const completion_request& request, uint32_t times) {
    const auto kind = std::hash<std::string>{}(request.prompt + std::to_string(times)) % 5;
    if (kind == 0) return good_answer("broken");
    if (kind == 1) return failed_call(ec::connection_lost, billing::unknown);
    if (kind == 2) return failed_call(ec::request_invalid, billing::unbilled, false);
    return good_answer();
  };
  plan(40);
  auto shown = snapshot_of(stored(), steady_time{});
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  for (const auto& event : events) {
    shown.apply(event);
    EXPECT_EQ(shown.tasks.total(), 40u) << name(event.kind);
  }
  EXPECT_EQ(shown.in_flight, 0u);
  EXPECT_EQ(shown.tasks.failed, stored().tasks().failed);
}

TEST_F(run_test, nothing_begins_before_the_run_has_started) {
  plan(4);
  spawn_before_the_start();
  run();  // The pool tells of its slots meanwhile.
  EXPECT_TRUE(events.empty());
  EXPECT_EQ(provider->total_asked(), 0u);
  self->send(owner, run_start{});
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(events.front().kind, event_kind::run_started);
  EXPECT_EQ(stored().tasks().delivered, 4u);
}

TEST_F(run_test, puts_a_ledger_back_that_vanished_after_the_last_commit) {
  provider->at_once = false;
  plan(1);
  spawn_all();
  std::filesystem::remove_all(workspace.root());
  self->send(services.recorder, close_run{run_status::interrupted});
  run();
  ASSERT_TRUE(std::filesystem::exists(workspace.ledger_file()));
  provider->answer_all();
  EXPECT_THAT(finish().message, HasSubstr("was deleted while the run was at work"));
}

TEST_F(run_test, a_file_that_was_written_while_its_project_moved_is_not_taken_for_delivered) {
  plan(1);
  ASSERT_TRUE(make_directories(root / "out"));
  ASSERT_TRUE(replace_file(root / "out/file-0.txt", "the user's", durability::later));
  handler.meanwhile = [&] { std::filesystem::rename(workspace.root(), root / "elsewhere"); };
  spawn_all();
  EXPECT_EQ(finish().status, run_status::failed);
  EXPECT_EQ(stored().tasks().answered, 1U);
  take_down();
  ledger.reset();
  std::filesystem::rename(root / "elsewhere", workspace.root());
  handler.meanwhile = {};
  open_ledger();
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(provider->total_asked(), 1U);
}

TEST_F(run_test, names_what_stopped_it_first_and_what_that_was_a_sign_of) {
  provider->at_once = false;
  plan(1);
  spawn_all();
  for (const auto* cause : {"cannot rename", "cannot rename", "the ledger was deleted"})
    self->send(owner, stop_run{ec::io, cause});
  run();
  provider->answer_all();
  EXPECT_EQ(finish().message, "cannot rename; the ledger was deleted");
}

TEST_F(run_test, ends_when_a_service_dies_and_keeps_what_was_in_flight_charged) {
  provider->at_once = false;
  settings.concurrent = 1;
  plan(1);
  spawn_all();
  ASSERT_EQ(provider->calls.size(), 1u);
  caf::anon_send_exit(services.gateway, caf::exit_reason::kill);
  run();
  EXPECT_EQ(finish().status, run_status::failed);
  EXPECT_EQ(stored().spent().unconfirmed.count, 1000);
}

}  // namespace
}  // namespace cohort::actors
