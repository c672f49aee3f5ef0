// How a run stops: what may still be sent, what is told at the end.

#include <gtest/gtest.h>

#include "tests/actors/fixture.hpp"

namespace cohort::actors {
namespace {

struct stopping : run_fixture {};

TEST_F(stopping, by_a_signal_after_a_limit_stopped_it_asks_nothing_more) {
  settings.batch_size = 2;
  settings.parallel_batches = 2;
  settings.concurrent = 1;
  settings.cost_limit = nano_dollars{1500};
  provider->at_once = false;
  provider->answer = [](const completion_request&, uint32_t) { return good_answer("dear", 800); };
  plan(4);
  spawn_all();
  provider->answer_all();
  run();
  ASSERT_EQ(stored().batches[0].tasks.deferred, 1u) << "the first batch has reached its limit";
  ASSERT_EQ(provider->calls.size(), 1u) << "a task of the second batch is in flight";
  provider->answer = [](const completion_request&, uint32_t) { return good_answer("cheap", 100); };
  self->send(owner, drain{});
  run();
  provider->at_once = true;
  provider->answer_all();
  EXPECT_EQ(finish().status, run_status::interrupted);
  EXPECT_EQ(provider->total_asked(), 2u);
  EXPECT_EQ(stored().tasks().planned, 1u);
}

TEST_F(stopping, because_of_the_account_sends_no_call_that_a_limit_held_back) {
  settings.batch_size = 1;
  settings.parallel_batches = 3;
  settings.concurrent = 3;
  provider->answer = [this](const completion_request&, uint32_t) {
    provider->hold = milliseconds{500};
    return failed_call(ec::authentication, billing::unbilled, false);
  };
  plan(3);
  spawn_all();
  provider->hold = milliseconds{0};
  EXPECT_EQ(finish().code, ec::authentication);
  EXPECT_EQ(provider->total_asked(), 1u);
  EXPECT_EQ(stored().tasks().planned, 3u);
}

TEST_F(stopping, tells_of_a_result_that_could_not_be_written_also_after_a_signal) {
  settings.concurrent = 1;
  provider->at_once = false;
  std::filesystem::create_directories(root / "out");
  std::filesystem::create_directory_symlink("/", root / "out/elsewhere");
  open_ledger();
  ASSERT_TRUE(ledger->begin_plan(settings, "nano-model"));
  auto outward = task(0);
  outward.target = "elsewhere/file.txt";
  ASSERT_TRUE(ledger->add_task(outward));
  ASSERT_TRUE(ledger->add_task(task(1)));
  ASSERT_TRUE(ledger->commit_plan({0, 0}));
  spawn_all();
  self->send(owner, drain{});
  run();
  provider->answer_all();
  const auto ended = finish();
  EXPECT_EQ(ended.status, run_status::failed);
  EXPECT_NE(ended.message.find("task-0"), std::string::npos) << ended.message;
  EXPECT_EQ(stored().tasks().answered, 1u);
  EXPECT_EQ(stored().tasks().planned, 1u);
}

}  // namespace
}  // namespace cohort::actors
