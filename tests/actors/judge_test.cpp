#include "fixture.hpp"

#include <gmock/gmock.h>

#include "actors/judge.hpp"

namespace cohort {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::Eq;
using ::testing::Gt;
using ::testing::SizeIs;

TEST(judge_room_test, holds_so_many_and_no_more) {
  judge_room room{2};
  EXPECT_TRUE(room.enter());
  EXPECT_TRUE(room.enter());
  EXPECT_FALSE(room.enter());
  EXPECT_EQ(room.taken(), 2u) << "who found no room took a place";
  room.leave();
  EXPECT_TRUE(room.enter());
}

TEST(judge_test, says_what_is_usable_or_what_is_wrong) {
  const plain_craft craft;
  const auto good = judge_answer(craft, {}, "whole");
  EXPECT_EQ(good.code, ec::none);
  EXPECT_EQ(good.text, "whole");
  const auto bad = judge_answer(craft, {}, "broken");
  EXPECT_EQ(bad.code, ec::broken_code);
  EXPECT_EQ(bad.text, "does not parse");
}

struct judging_test : run_fixture {
  /// The places that were taken whenever an answer was read.
  std::vector<uint32_t> places_taken(uint32_t places) {
    judge_places = places;
    std::vector<uint32_t> taken;
    craft.reading = [&] { taken.push_back(services.room->taken()); };
    plan(12);
    spawn_all();
    EXPECT_EQ(finish().status, run_status::finished);
    EXPECT_EQ(stored().tasks().delivered, 12u);
    EXPECT_EQ(services.room->taken(), 0u);
    return taken;
  }
};

TEST_F(judging_test, answers_are_read_by_the_judge) { EXPECT_THAT(places_taken(512), AllOf(SizeIs(12), Each(Gt(0u)))); }

TEST_F(judging_test, without_room_each_batch_reads_its_own) {
  EXPECT_THAT(places_taken(0), AllOf(SizeIs(12), Each(Eq(0u))));
}

TEST_F(judging_test, answers_that_the_judge_died_of_are_stored_and_not_asked_again) {
  craft.reading = [] { throw std::bad_alloc{}; };
  settings.concurrent = 3;
  plan(3);
  spawn_all();
  EXPECT_EQ(finish().status, run_status::failed);
  EXPECT_EQ(stored().tasks().answered, 3u);
  take_down();
  craft.reading = nullptr;
  spawn_all();
  EXPECT_EQ(finish().status, run_status::finished);
  EXPECT_EQ(stored().tasks().delivered, 3u);
  EXPECT_EQ(way->total_asked(), 3u);
}

}  // namespace
}  // namespace cohort
