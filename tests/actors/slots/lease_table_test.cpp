#include "actors/slots/lease_table.hpp"

#include <gtest/gtest.h>

namespace cohort::actors {
namespace {

TEST(lease_table, lets_batches_take_turns) {
  lease_table leases;
  for (uint32_t slot = 0; slot < 4; ++slot) leases.add_slot(slot);
  leases.want(7, 10);
  leases.want(8, 2);
  std::vector<uint32_t> order;
  while (auto given = leases.next()) order.push_back(given->batch);
  EXPECT_EQ(order, (std::vector<uint32_t>{7, 8, 7, 8}));
}

TEST(lease_table, knows_a_stale_return) {
  lease_table leases;
  leases.add_slot(0);
  leases.want(1, 2);
  const auto first = leases.next();
  ASSERT_TRUE(first);
  EXPECT_FALSE(leases.next());
  EXPECT_TRUE(leases.give_back(first->lease));
  EXPECT_FALSE(leases.give_back(first->lease));
  const auto second = leases.next();
  ASSERT_TRUE(second);
  EXPECT_NE(second->lease, first->lease);
}

TEST(lease_table, reports_the_lease_of_a_slot_that_died) {
  lease_table leases;
  leases.add_slot(0);
  leases.want(1, 1);
  const auto given = leases.next();
  const auto lost = leases.remove_slot(0);
  ASSERT_TRUE(lost);
  EXPECT_EQ(lost->lease, given->lease);
  EXPECT_FALSE(leases.give_back(given->lease));
  EXPECT_EQ(leases.free_slots(), 0u);
}

TEST(lease_table, forgets_the_wants_of_a_batch) {
  lease_table leases;
  leases.want(1, 5);
  leases.want(2, 1);
  leases.forget(1);
  leases.add_slot(0);
  EXPECT_EQ(leases.next()->batch, 2u);
  EXPECT_FALSE(leases.wanted());
}

}  // namespace
}  // namespace cohort::actors
