#include "cluster/waiting_room.hpp"

#include <gtest/gtest.h>

namespace cohort::cluster {
namespace {

using namespace std::chrono_literals;

struct waiting : ::testing::Test {
  waiting_room room;
  steady_time start{};
  waiting() {
    room.enter(1, "a", start);
    room.enter(2, "b", start + 1s);
    room.enter(3, "a", start + 2s);
  }
};

TEST_F(waiting, whoever_has_said_nothing_for_longest_makes_room) {
  EXPECT_EQ(room.first_to_go(), 1u);
  room.begun(1);
  EXPECT_EQ(room.first_to_go(), 2u);
  EXPECT_EQ(room.first_to_go("a"), 1u) << "of its address only the newcomer is silent";
}

TEST_F(waiting, a_newcomer_goes_only_when_it_is_alone) {
  room.begun(1);
  room.begun(2);
  EXPECT_EQ(room.first_to_go(), 1u);
  room.leave(1);
  room.leave(2);
  EXPECT_EQ(room.first_to_go(), 3u);
  room.leave(3);
  EXPECT_FALSE(room.first_to_go());
}

TEST_F(waiting, are_counted_by_address) {
  EXPECT_EQ(room.count_from("a"), 2u);
  room.leave(1);
  room.leave(1);
  EXPECT_EQ(room.count_from("a"), 1u);
  EXPECT_EQ(room.count_from("nowhere"), 0u);
  EXPECT_EQ(room.count(), 2u);
}

TEST_F(waiting, whoever_waits_too_long_is_overdue) {
  EXPECT_FALSE(room.overdue(start + 9s, 10s));
  EXPECT_EQ(room.overdue(start + 10s, 10s), 1u);
}

}  // namespace
}  // namespace cohort::cluster
