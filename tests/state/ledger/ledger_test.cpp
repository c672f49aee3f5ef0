#include "state/ledger/ledger.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "tests/state/fixture.hpp"

namespace cohort::state {
namespace {

using ledger_test = state_test;

TEST_F(ledger_test, creates_a_ledger_only_for_writing) {
  EXPECT_EQ(open_error(mode::read_only), ec::state_missing);
  EXPECT_FALSE(fs::exists(workspace.ledger_file()));
  EXPECT_EQ(open_error(mode::read_write), ec::none);
  EXPECT_EQ(open().newest_run().value(), std::nullopt);
}

TEST_F(ledger_test, gives_a_plan_back_as_it_was_stored) {
  auto ledger = open();
  run_settings settings{.batch_size = 7,
                        .model = "opus",
                        .concurrent = 9,
                        .timeout = milliseconds{1234},
                        .min_complexity = 3,
                        .cost_limit = nano_dollars{2 * cent},
                        .budget = nano_dollars{1},
                        .on_limit = limit_policy::warn,
                        .parallel_batches = 4,
                        .output_directory = "out \xff",
                        .effort = "high",
                        .fallback = "claude-haiku"};
  const auto run = ledger.begin_plan(settings, "claude-opus").value();
  const auto wanted = task_named("src/\xff odd\n.py", 20'000);
  ASSERT_TRUE(ledger.add_task(wanted));
  ASSERT_TRUE(ledger.add_task(task_named("b.py")));
  ASSERT_TRUE(ledger.commit_plan({1, 0}));
  const auto record = newest(ledger);
  EXPECT_EQ(record.id, run);
  EXPECT_EQ(record.model_id, "claude-opus");
  EXPECT_EQ(record.batches.size(), 2u);
  EXPECT_EQ(record.tasks().planned, 2u);
  EXPECT_EQ(record.estimate().worst.count, 10 * cent);
  EXPECT_EQ(record.estimate().input_tokens, 200u);
  const auto& s = record.settings;
  EXPECT_EQ(s.batch_size, 7u);
  EXPECT_EQ(s.model, "opus");
  EXPECT_EQ(s.concurrent, 9u);
  EXPECT_EQ(s.timeout.count(), 1234);
  EXPECT_EQ(s.min_complexity, 3u);
  EXPECT_EQ(s.cost_limit, settings.cost_limit);
  EXPECT_EQ(s.budget, settings.budget);
  EXPECT_EQ(s.on_limit, limit_policy::warn);
  EXPECT_EQ(s.parallel_batches, 4u);
  EXPECT_EQ(s.output_directory, "out \xff");
  EXPECT_EQ(s.effort, "high");

  const auto tasks = ledger.load_batch(run, 1).value();
  ASSERT_EQ(tasks.size(), 1u);
  const auto& got = tasks[0].spec;
  EXPECT_EQ(got.id, wanted.id);
  EXPECT_EQ(got.label, wanted.label);
  EXPECT_EQ(got.source, wanted.source);
  EXPECT_EQ(got.source_digest, wanted.source_digest);
  EXPECT_EQ(got.target, wanted.target);
  EXPECT_EQ(got.part, 1u);
  EXPECT_EQ(got.parts, 1u);
  EXPECT_EQ(got.complexity, 6u);
  EXPECT_EQ(got.request.model, wanted.request.model);
  EXPECT_EQ(got.request.prompt, wanted.request.prompt);
  EXPECT_EQ(got.request.shared_prefix, wanted.request.shared_prefix);
  EXPECT_EQ(got.request.max_tokens, 4096u);
  EXPECT_EQ(got.request.cache, cache_mode::five_minutes);
  EXPECT_EQ(got.request.effort, "low");
  EXPECT_EQ(got.estimate.expected.count, 2 * cent);
  EXPECT_EQ(got.traits, wanted.traits);
}

TEST_F(ledger_test, keeps_changed_settings_and_status) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  run_settings changed;
  changed.concurrent = 77;
  changed.cost_limit = nano_dollars{5};
  ASSERT_TRUE(ledger.update_run(run, changed, run_status::stopped_by_limit));
  EXPECT_EQ(newest(ledger).settings.concurrent, 77u);
  EXPECT_EQ(newest(ledger).settings.cost_limit->count, 5);
  EXPECT_EQ(newest(ledger).status, run_status::stopped_by_limit);
  EXPECT_FALSE(ledger.update_run(run + 1, changed, run_status::finished));
}

TEST_F(ledger_test, forgets_a_plan_that_was_abandoned_or_killed) {
  {
    auto ledger = open();
    ASSERT_TRUE(ledger.begin_plan({}, "m"));
    ASSERT_TRUE(ledger.add_task(task_named("a.py")));
    ledger.abandon_plan();
    EXPECT_EQ(ledger.newest_run().value(), std::nullopt);
    plan(ledger, {"kept.py"});
  }
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              (void)ledger.begin_plan({}, "m").value();
              for (int i = 0; i < 2000; ++i) must(ledger.add_task(task_named("t" + std::to_string(i), 10'000)));
              ::_exit(7);
            }),
            7);
  EXPECT_GT(fs::file_size(workspace.ledger_file().native() + "-wal"), 1'000'000u)
      << "the plan did not reach the disk at all";
  auto ledger = open();
  EXPECT_EQ(newest(ledger).tasks().total(), 1u);
  EXPECT_FALSE(ledger.load_batch(2, 0).value().size());
  EXPECT_EQ(plan(ledger, {"x.py", "y.py"}), 2);
}

TEST_F(ledger_test, keeps_a_committed_plan_when_the_process_is_killed) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              plan(ledger, {"a", "b", "c", "d", "e"});
              ::_exit(7);
            }),
            7);
  EXPECT_EQ(newest(open()).tasks().planned, 5u);
}

TEST_F(ledger_test, refuses_a_plan_that_makes_no_sense) {
  auto ledger = open();
  EXPECT_FALSE(ledger.add_task(task_named("a.py")));
  EXPECT_FALSE(ledger.commit_plan({}));
  ASSERT_TRUE(ledger.begin_plan({}, "m"));
  EXPECT_FALSE(ledger.begin_plan({}, "m"));
  EXPECT_FALSE(ledger.begin());
  ASSERT_TRUE(ledger.add_task(task_named("a.py")));
  EXPECT_EQ(ledger.add_task(task_named("a.py")).error().code, ec::usage);
  ASSERT_TRUE(ledger.add_task(task_named("b.py")));
  EXPECT_FALSE(ledger.commit_plan({0}));
  EXPECT_FALSE(ledger.commit_plan({0, 2}));
  EXPECT_TRUE(ledger.commit_plan({0, 1}));
}

TEST_F(ledger_test, walks_a_task_through_its_life) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  const auto id = task_named("a.py").id;
  store(ledger, run, intent_for("a.py", 1));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 5 * cent);
  store(ledger, run, answer_for("a.py", 1, std::string{"text\0with nul", 13}));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 0);
  EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
  auto task = ledger.load_batch(run, 0).value().at(0);
  EXPECT_EQ(task.state, task_state::answered);
  EXPECT_EQ(task.answer, (std::string{"text\0with nul", 13}));
  EXPECT_EQ(task.attempts, 1u);
  EXPECT_FALSE(ledger.delivered_before(id).value());
  store(ledger, run, delivery_of("a.py", project / "out/t.py"));
  task = ledger.load_batch(run, 0).value().at(0);
  EXPECT_EQ(task.state, task_state::delivered);
  EXPECT_EQ(task.answer, "");
  EXPECT_EQ(ledger.answer_of(run, id).value(), (std::string{"text\0with nul", 13}));
  EXPECT_TRUE(ledger.delivered_before(id).value());
  EXPECT_EQ(newest(ledger).completed_batches(), 1u);
  EXPECT_EQ(ledger.delivered_content((project / "out/t.py").string()).value(), sha256("file"));
  EXPECT_EQ(ledger.delivered_content("/nowhere").value(), std::nullopt);
}

TEST_F(ledger_test, counts_a_resent_answer_once) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  must(ledger.begin());
  EXPECT_TRUE(ledger.record(run, intent_for("a.py", 1)));
  EXPECT_TRUE(ledger.record(run, answer_for("a.py", 1)).value());
  EXPECT_FALSE(ledger.record(run, answer_for("a.py", 1, "other", 99)).value());
  EXPECT_FALSE(ledger.record(run, failure_for("a.py", 1, billing::unknown)).value());
  must(ledger.commit());
  EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 0);
  EXPECT_EQ(ledger.answer_of(run, task_named("a.py").id).value(), "def test(): pass");
}

TEST_F(ledger_test, adds_the_cost_of_a_late_second_answer_but_not_its_text) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1), intent_for("a.py", 2), answer_for("a.py", 2, "first"),
        answer_for("a.py", 1, "late", 3 * cent));
  EXPECT_EQ(newest(ledger).spent().confirmed.count, 4 * cent);
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].answer, "first");
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].attempts, 2u);
}

TEST_F(ledger_test, takes_the_next_text_after_an_unusable_answer) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  const auto id = task_named("a.py").id;
  store(ledger, run, intent_for("a.py", 1), answer_for("a.py", 1, "broken"),
        task_ended{id, task_state::planned, ec::broken_code, "does not parse"});
  auto task = ledger.load_batch(run, 0).value()[0];
  EXPECT_EQ(task.state, task_state::planned);
  EXPECT_EQ(task.answer, "");
  EXPECT_EQ(task.code, ec::broken_code);
  EXPECT_EQ(task.reason, "does not parse");
  must(ledger.begin());
  EXPECT_FALSE(ledger.record(run, answer_for("a.py", 1, "broken")).value()) << "the old answer is no new one";
  must(ledger.commit());
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].state, task_state::planned);
  store(ledger, run, intent_for("a.py", 2), answer_for("a.py", 2, "whole"));
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].answer, "whole");
  EXPECT_EQ(newest(ledger).spent().confirmed.count, 2 * cent);
}

TEST_F(ledger_test, an_answer_that_arrives_after_its_attempt_was_given_up_settles_the_reservation) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1), failure_for("a.py", 1, billing::unknown, ec::worker_lost));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 5 * cent);
  must(ledger.begin());
  EXPECT_TRUE(ledger.record(run, answer_for("a.py", 1, "late but paid")).value());
  must(ledger.commit());
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 0);
  EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].answer, "late but paid");
}

TEST_F(ledger_test, a_task_that_failed_without_any_answer_takes_a_late_one) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  const auto id = task_named("a.py").id;
  store(ledger, run, intent_for("a.py", 1), failure_for("a.py", 1, billing::unknown),
        task_ended{id, task_state::failed, ec::timeout, "t"}, answer_for("a.py", 1, "late"));
  EXPECT_EQ(newest(ledger).tasks().answered, 1u) << "it is paid for: it must not be asked again";
  EXPECT_EQ(ledger.answer_of(run, id).value(), "late");
  EXPECT_EQ(newest(ledger).spent().total().count, cent);
  EXPECT_EQ(newest(ledger).duplicate_answers, 0u);
}

TEST_F(ledger_test, counts_what_was_paid_twice) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1), failure_for("a.py", 1, billing::unknown), intent_for("a.py", 2),
        answer_for("a.py", 2), answer_for("a.py", 1, "late", 3 * cent));
  EXPECT_EQ(newest(ledger).duplicate_answers, 1u);
  EXPECT_EQ(newest(ledger).duplicate_cost.count, 3 * cent);
  EXPECT_EQ(ledger.answer_of(run, task_named("a.py").id).value(), "def test(): pass");
}

TEST_F(ledger_test, an_unbilled_failure_settles_an_attempt_that_was_given_up) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1), failure_for("a.py", 1, billing::unknown));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 5 * cent);
  store(ledger, run, failure_for("a.py", 1, billing::unbilled));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 0);
}

TEST_F(ledger_test, knows_which_attempts_nodes_may_still_answer) {
  auto ledger = open();
  const auto run = plan(ledger, {"open.py", "lost.py", "done.py", "here.py"});
  const auto on_node = [](const std::string& name) {
    auto intent = intent_for(name, 1);
    intent.holder = "node-1";
    return intent;
  };
  store(ledger, run, on_node("open.py"), on_node("lost.py"), on_node("done.py"), intent_for("here.py", 1),
        failure_for("lost.py", 1, billing::unknown), answer_for("done.py", 1));
  const auto in_doubt = ledger.in_doubt(run).value();
  ASSERT_EQ(in_doubt.size(), 2u);
  for (const auto& one : in_doubt) {
    EXPECT_EQ(one.holder, "node-1");
    EXPECT_EQ(one.open, one.task == task_named("open.py").id);
  }
}

TEST_F(ledger_test, charges_what_may_have_been_billed_after_a_crash) {
  EXPECT_EQ(in_killed_child([&] {
              auto ledger = open();
              const auto run = plan(ledger, {"open", "lost", "free", "done"}, 2);
              store(ledger, run, intent_for("open", 1), intent_for("lost", 1), intent_for("free", 1),
                    intent_for("done", 1));
              store(ledger, run, failure_for("lost", 1, billing::unknown), failure_for("free", 1, billing::unbilled),
                    answer_for("done", 1));
              ::_exit(7);
            }),
            7);
  const auto record = newest(open());
  EXPECT_EQ(record.batches[0].spent.unconfirmed.count, 10 * cent);
  EXPECT_EQ(record.batches[0].spent.confirmed.count, 0);
  EXPECT_EQ(record.batches[1].spent.unconfirmed.count, 0);
  EXPECT_EQ(record.batches[1].spent.confirmed.count, cent);
}

TEST_F(ledger_test, stores_an_answer_without_an_intent_but_not_of_an_unknown_task) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  must(ledger.begin());
  EXPECT_TRUE(ledger.record(run, answer_for("a.py", 4)).value());
  EXPECT_EQ(ledger.record(run, answer_for("b.py", 1)).error().code, ec::task_unknown);
  EXPECT_EQ(ledger.record(run + 1, answer_for("a.py", 1)).error().code, ec::task_unknown);
  EXPECT_EQ(ledger.record(run, intent_for("b.py", 1)).error().code, ec::task_unknown);
  EXPECT_EQ(ledger.record(run, failure_for("b.py", 1, billing::unknown)).error().code, ec::task_unknown);
  EXPECT_EQ(ledger.record(run, task_ended{task_named("b.py").id, task_state::failed, ec::io, ""}).error().code,
            ec::task_unknown);
  EXPECT_EQ(ledger.record(run, delivery_of("b.py", "/b")).error().code, ec::task_unknown);
  must(ledger.commit());
  EXPECT_EQ(newest(ledger).spent().confirmed.count, cent);
  EXPECT_EQ(ledger.load_batch(run, 0).value()[0].attempts, 4u);
}

TEST_F(ledger_test, refuses_an_intent_whose_attempt_has_ended_and_widens_one_that_has_not) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py"});
  store(ledger, run, intent_for("a.py", 1, 3), intent_for("a.py", 1, 9), intent_for("a.py", 1, 5));
  EXPECT_EQ(newest(ledger).spent().unconfirmed.count, 9);
  store(ledger, run, answer_for("a.py", 1));
  must(ledger.begin());
  EXPECT_EQ(ledger.record(run, intent_for("a.py", 1)).error().code, ec::conflict);
  EXPECT_EQ(ledger.record(run, intent_for("a.py", 0)).error().code, ec::usage);
  EXPECT_EQ(ledger.record(run, intent_for("a.py", 2, -1)).error().code, ec::usage);
  EXPECT_EQ(ledger.record(run, answer_for("a.py", 2, "x", -1)).error().code, ec::usage);
  ledger.rollback();
}

TEST_F(ledger_test, a_delivered_task_never_goes_back) {
  auto ledger = open();
  const auto run = plan(ledger, {"a.py", "b.py"});
  const auto id = task_named("a.py").id;
  store(ledger, run, answer_for("a.py", 1), delivery_of("a.py", "/t"), task_ended{id, task_state::failed, ec::io, "no"},
        task_ended{id, task_state::planned, ec::none, ""}, answer_for("a.py", 2, "again"));
  EXPECT_EQ(newest(ledger).tasks().delivered, 1u);
  EXPECT_EQ(ledger.answer_of(run, id).value(), "def test(): pass");
  must(ledger.begin());
  EXPECT_EQ(ledger.record(run, task_ended{id, task_state::delivered, ec::none, ""}).error().code, ec::usage);
  ledger.rollback();
}

TEST_F(ledger_test, names_each_state_in_its_counts) {
  auto ledger = open();
  const auto run = plan(ledger, {"p", "a", "d", "f", "s", "x"}, 6);
  const auto ended = [](const char* name, task_state state) {
    return task_ended{task_named(name).id, state, ec::io, "r"};
  };
  store(ledger, run, answer_for("a", 1), answer_for("d", 1), delivery_of("d", "/d"), ended("f", task_state::failed),
        ended("s", task_state::skipped), ended("x", task_state::deferred));
  const auto counts = newest(ledger).tasks();
  EXPECT_EQ(counts.planned, 1u);
  EXPECT_EQ(counts.answered, 1u);
  EXPECT_EQ(counts.delivered, 1u);
  EXPECT_EQ(counts.failed, 1u);
  EXPECT_EQ(counts.skipped, 1u);
  EXPECT_EQ(counts.deferred, 1u);
  EXPECT_EQ(newest(ledger).next_batch(), 0u);
  std::vector<task_state> seen;
  ASSERT_TRUE(ledger.for_each_task(run, [&](const task_record& task) {
    seen.push_back(task.state);
    EXPECT_EQ(task.spec.request.prompt, "");
    EXPECT_EQ(task.spec.label.size(), 1u);
  }));
  EXPECT_EQ(seen, (std::vector{task_state::planned, task_state::answered, task_state::delivered, task_state::failed,
                               task_state::skipped, task_state::deferred}));
}

TEST_F(ledger_test, gives_the_answered_parts_of_a_file_in_order) {
  auto ledger = open();
  const auto run = ledger.begin_plan({}, "m").value();
  for (const uint32_t part : {3u, 1u, 2u}) {
    auto spec = task_named("part" + std::to_string(part));
    spec.target = "test_big.py";
    spec.part = part;
    spec.parts = 3;
    ASSERT_TRUE(ledger.add_task(spec));
  }
  ASSERT_TRUE(ledger.commit_plan({0, 0, 0}));
  store(ledger, run, answer_for("part3", 1, "three"), answer_for("part1", 1, "one"), delivery_of("part1", "/t"));
  const auto parts = ledger.answered_parts(run, "test_big.py").value();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].answer, "one");
  EXPECT_EQ(parts[1].answer, "three");
  EXPECT_EQ(parts[1].spec.part, 3u);
  EXPECT_TRUE(ledger.answered_parts(run, "other").value().empty());
}

TEST_F(ledger_test, tells_which_files_wait_for_a_sync) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"}, 1);
  store(ledger, run, delivery_of("a", project / "t/a"), delivery_of("b", "/elsewhere/b"));
  EXPECT_EQ(ledger.unsynced().value().size(), 2u);
  ASSERT_TRUE(ledger.mark_synced({ledger.unsynced().value()[0]}));
  ASSERT_EQ(ledger.unsynced().value().size(), 1u);
  EXPECT_EQ(ledger.unsynced().value()[0].path, "/elsewhere/b");
  EXPECT_TRUE(newest(ledger).batches[0].synced);
  EXPECT_FALSE(newest(ledger).batches[1].synced);
  const auto files = ledger.deliveries(run).value();
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].path, (project / "t/a").string());
  EXPECT_TRUE(files[0].synced);
  store(ledger, run, delivery_of("a", project / "t/a", "newer"));
  EXPECT_EQ(ledger.unsynced().value().size(), 2u) << "a file that is written again must be synced again";
}

TEST_F(ledger_test, names_each_file_that_any_run_delivered_once) {
  auto ledger = open();
  EXPECT_TRUE(ledger.delivered_paths().value().empty());
  const auto first = plan(ledger, {"a", "b"});
  store(ledger, first, delivery_of("a", project / "t/a"), delivery_of("b", project / "t/a"));
  const auto second = plan(ledger, {"c"});
  store(ledger, second, delivery_of("c", "/elsewhere/c"));
  auto paths = ledger.delivered_paths().value();
  std::sort(paths.begin(), paths.end());
  EXPECT_EQ(paths, (std::vector<std::string>{"/elsewhere/c", (project / "t/a").string()}));
}

TEST_F(ledger_test, reports_attempts_with_their_usage) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"});
  store(ledger, run, intent_for("a", 1), answer_for("a", 1), intent_for("a", 2), intent_for("b", 1),
        failure_for("b", 1, billing::unknown, ec::connection_lost));
  const auto all = ledger.attempts(run).value();
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(all[0].usage, answer_for("a", 1).answer.usage);
  EXPECT_EQ(all[0].model, "claude-sonnet-4-5-20250929");
  EXPECT_EQ(all[0].request_id, "req_1");
  EXPECT_EQ(all[0].cost.count, cent);
  EXPECT_EQ(all[0].reserved.count, 5 * cent);
  EXPECT_FALSE(all[0].open || all[0].unconfirmed);
  EXPECT_TRUE(all[1].open && all[1].unconfirmed);
  EXPECT_TRUE(!all[2].open && all[2].unconfirmed);
  EXPECT_EQ(all[2].code, ec::connection_lost);
}

TEST_F(ledger_test, refuses_amounts_that_cannot_be) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"});
  must(ledger.begin());
  for (const int64_t amount : {nano_dollars::max().count, int64_t{-1}, int64_t{1'000'000'000'000'001}}) {
    EXPECT_EQ(ledger.record(run, answer_for("a", 1, "", amount)).error().code, ec::usage);
    EXPECT_EQ(ledger.record(run, intent_for("a", 1, amount)).error().code, ec::usage);
  }
  must(ledger.record(run, answer_for("a", 1, "", 1'000'000'000'000'000)));
  must(ledger.commit());
  EXPECT_EQ(newest(ledger).spent().confirmed.count, 1'000'000'000'000'000);
}

TEST_F(ledger_test, texts_of_others_never_keep_an_answer_from_being_stored) {
  auto ledger = open();
  const auto run = plan(ledger, {"a", "b"});
  auto answer = answer_for("a", 1);
  answer.answer.model = answer.answer.request_id = std::string(1 << 20, 'x');
  answer.answer.usage.cache_read_tokens = UINT64_MAX;
  auto failure = failure_for("b", 1, billing::unknown);
  failure.failure.message = std::string(1 << 20, 'm');
  for (int i = 0; i < 1000; ++i) failure.failure.request_id += "\xC3\xA9\xF0\x9F\x98\x80";
  store(ledger, run, answer, failure,
        task_ended{failure.task, task_state::failed, ec::timeout, std::string(1 << 20, 'r')});
  EXPECT_EQ(newest(ledger).tasks().answered, 1u);
  EXPECT_EQ(newest(ledger).tasks().failed, 1u);
  EXPECT_TRUE(is_utf8(ledger.attempts(run).value().at(1).request_id));
}

TEST_F(ledger_test, forgets_what_was_rolled_back_and_insists_on_a_transaction) {
  auto ledger = open();
  const auto run = plan(ledger, {"a"});
  EXPECT_EQ(ledger.record(run, intent_for("a", 1)).error().code, ec::usage);
  EXPECT_FALSE(ledger.commit());
  must(ledger.begin());
  must(ledger.record(run, intent_for("a", 1)));
  ledger.rollback();
  EXPECT_EQ(newest(ledger).spent().total().count, 0);
}

TEST_F(ledger_test, knows_deliveries_of_earlier_runs) {
  auto ledger = open();
  const auto run = plan(ledger, {"a"});
  store(ledger, run, answer_for("a", 1), delivery_of("a", "/a"));
  EXPECT_EQ(plan(ledger, {"b"}), run + 1);
  EXPECT_TRUE(ledger.delivered_before(task_named("a").id).value());
  EXPECT_FALSE(ledger.delivered_before(task_named("b").id).value());
  EXPECT_EQ(newest(ledger).id, run + 1);
  EXPECT_EQ(newest(ledger).spent().total().count, 0);
  EXPECT_EQ(plan(ledger, {"a"}), run + 2) << "the same identity may be planned in another run";
}

TEST_F(ledger_test, knows_after_a_restart_what_each_attempt_asked_and_keeps_each_answer) {
  auto second = intent_for("a.py", 2);
  second.max_tokens = 8000;
  second.prompt = "the prompt of a repair";
  second.kind = attempt_kind::repair;
  int64_t run = 0;
  {
    auto ledger = open();
    run = plan(ledger, {"a.py"});
    auto cut = answer_for("a.py", 1, "def test(");
    cut.answer.stop = stop_reason::max_tokens;
    store(ledger, run, intent_for("a.py", 1), cut,
          task_ended{task_named("a.py").id, task_state::planned, ec::cut_off, {}}, second);
  }
  auto ledger = open();
  const auto task = ledger.load_batch(run, 0).value().at(0);
  ASSERT_EQ(task.past.size(), 2u);
  EXPECT_EQ(task.past[0].how, attempt_outcome::answered);
  EXPECT_EQ(task.past[0].max_tokens, 4000u);
  EXPECT_EQ(task.past[0].stop, stop_reason::max_tokens);
  EXPECT_EQ(task.past[1].how, attempt_outcome::open);
  EXPECT_EQ(task.past[1].kind, attempt_kind::repair);
  EXPECT_EQ(task.past[1].max_tokens, 8000u);
  store(ledger, run, answer_for("a.py", 2, "def test(): pass"));
  EXPECT_EQ(ledger.answer_of(run, task_named("a.py").id).value(), "def test(): pass");
  EXPECT_EQ(ledger.audit({}).value().answers, 2u) << "the first answer is kept";
}

}  // namespace
}  // namespace cohort::state
