#include "tests/actors/fixture.hpp"

#include <gmock/gmock.h>

#include "actors/answers/answer_validator.hpp"

namespace cohort::actors {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Eq;
using ::testing::Gt;
using ::testing::SizeIs;

TEST(judge_backlog_test, holds_so_many_and_no_more) {
  validation_backlog backlog{2};
  EXPECT_TRUE(backlog.enter());
  EXPECT_TRUE(backlog.enter());
  EXPECT_FALSE(backlog.enter());
  EXPECT_EQ(backlog.waiting(), 2u) << "who was turned away counts as waiting";
  backlog.leave();
  EXPECT_TRUE(backlog.enter());
}

TEST(answer_validator_test, says_what_is_usable_or_what_is_wrong) {
  const plain_handler handler;
  const auto good = validate_answer(handler, {}, "whole");
  EXPECT_EQ(good.code, ec::none);
  EXPECT_EQ(good.text, "whole");
  const auto bad = validate_answer(handler, {}, "broken");
  EXPECT_EQ(bad.code, ec::broken_code);
  EXPECT_EQ(bad.text, "does not parse");
}

struct judging_test : run_fixture {
  /// How many were with the JUDGE whenever an answer was read.
  std::vector<uint32_t> waiting_while_read(uint32_t most) {
    most_unread = most;
    std::vector<uint32_t> seen;
    handler.reading = [&] { seen.push_back(services.backlog->waiting()); };
    plan(12);
    spawn_all();
    EXPECT_EQ(finish().status, run_status::finished);
    EXPECT_EQ(stored().tasks().delivered, 12u);
    EXPECT_EQ(services.backlog->waiting(), 0u);
    return seen;
  }
};

TEST_F(judging_test, answers_are_read_by_the_judge) {
  EXPECT_THAT(waiting_while_read(512), AllOf(SizeIs(12), Each(Gt(0u))));
}

TEST_F(judging_test, without_room_each_batch_reads_its_own) {
  EXPECT_THAT(waiting_while_read(0), AllOf(SizeIs(12), Each(Eq(0u))));
}

TEST_F(judging_test, answers_that_the_judge_died_of_are_stored_and_not_asked_again) {
  handler.reading = [] { throw std::bad_alloc{}; };
  settings.concurrent = 3;
  plan(3);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::failed);
  EXPECT_EQ(stored().tasks().answered, 3u);
  take_down();
  handler.reading = nullptr;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 3u);
  EXPECT_EQ(provider->total_asked(), 3u);
}

}  // namespace
}  // namespace cohort::actors
