#include "messages/task_units.hpp"

#include <gtest/gtest.h>

namespace cohort::inline messages {
namespace {

task_spec with_trait(const std::string& packed) {
  task_spec task;
  task.traits[units_trait] = packed;
  return task;
}

TEST(task_units, come_back_as_they_went) {
  const auto units = units_of(with_trait(pack_units({"b", "a"}, {"a", "b", "c"}))).value();
  EXPECT_EQ(units.asked.size(), 2u);
  EXPECT_EQ(units.present.size(), 3u);
  EXPECT_TRUE(is_within(units.asked, units.present));
  EXPECT_EQ(units.asked, units_of(with_trait(pack_units({"a", "b"}, {}))).value().present);
}

TEST(task_units, are_not_packed_without_bound) {
  std::vector<std::string> many;
  for (int i = 0; i < 2001; ++i) many.push_back(std::to_string(i));
  EXPECT_EQ(pack_units({"1"}, many), "");
  many.pop_back();
  EXPECT_TRUE(units_of(with_trait(pack_units({"1"}, many))));
}

TEST(task_units, that_cannot_be_read_are_none) {
  EXPECT_FALSE(units_of({}));
  for (const auto* bad : {"", "+", "0123456789", "0123456789*", "012345678g+", "0123456789+0123456789-",
                          "2123456789+0123456789-", "-123456789+"})
    EXPECT_FALSE(units_of(with_trait(bad))) << bad;
  EXPECT_TRUE(units_of(with_trait("0123456789+")));
}

}  // namespace
}  // namespace cohort::inline messages
