// Which units of a source have a delivered test, whatever the test was asked with.

#include "messages/delivered_work.hpp"

#include <gtest/gtest.h>

#include "messages/task_units.hpp"

namespace cohort::inline messages {
namespace {

constexpr auto nothing_is_there = [](const std::string&) { return false; };
constexpr auto everything_is_there = [](const std::string&) { return true; };

task_spec task_for(const std::string& source, const std::vector<unit_work>& units) {
  task_spec task;
  task.source = source;
  task.source_digest = sha256("content");
  task.traits[work_trait] = pack_work(units);
  return task;
}

TEST(unit_work_test, is_the_same_without_line_endings_blank_lines_and_blank_space) {
  const auto unit = unit_work_of("total", "def total(a):\n    if a:\n        return 1\n    return a + 1\n");
  for (const auto* text : {"def total(a):\r\n    if a:\r\n        return 1\r\n    return a + 1\r\n",
                           "def total(a):\n\n    if a:   \n        return 1\n\n    return a+1",
                           "  def total(a):\n\tif a:\n\t\treturn 1\n\treturn a + 1\n"})
    EXPECT_EQ(unit_work_of("total", text), unit) << text;
}

TEST(unit_work_test, differs_by_name_by_text_and_by_the_depth_of_a_line) {
  const auto unit = unit_work_of("total", "def total(a):\n    if a:\n        a = 1\n    return a\n");
  EXPECT_NE(unit_work_of("sum", "def total(a):\n    if a:\n        a = 1\n    return a\n"), unit);
  EXPECT_NE(unit_work_of("total", "def total(b):\n    if a:\n        a = 1\n    return a\n"), unit);
  EXPECT_NE(unit_work_of("total", "def total(a):\n    if a:\n        a = 1\n        return a\n"), unit);
}

TEST(unit_work_test, comes_back_as_it_was_packed) {
  const std::vector<unit_work> units{unit_work_of("a", "x"), unit_work_of("b", "y")};
  auto unpacked = work_of(task_for("s.py", units));
  auto sorted = units;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(unpacked, sorted);
  task_spec odd = task_for("s.py", units);
  for (const auto* text : {"", "12", "zz00000000000000000000000z", "-1-1-1-1-1-1-1-1-1-1-1-1-1"}) {
    odd.traits[work_trait] = text;
    EXPECT_TRUE(work_of(odd).empty()) << text;
  }
}

TEST(delivered_work_test, covers_the_units_of_the_same_source_whatever_else_changed_in_it) {
  delivered_work work;
  const auto total = unit_work_of("total", "def total(): pass");
  work.add(task_for("cart.py", {total}));
  EXPECT_TRUE(work.covers("cart.py", sha256("another content"), total, everything_is_there));
  EXPECT_FALSE(
      work.covers("cart.py", sha256("content"), unit_work_of("total", "def total(): return 1"), everything_is_there));
  EXPECT_FALSE(work.covers("copy.py", sha256("content"), total, everything_is_there)) << "a copy is work of its own";
}

TEST(delivered_work_test, covers_a_source_that_moved) {
  delivered_work work;
  const auto total = unit_work_of("total", "def total(): pass");
  work.add(task_for("backend/cart.py", {total}));
  EXPECT_TRUE(work.covers("server/cart.py", sha256("content"), total, nothing_is_there));
}

TEST(delivered_work_test, goes_by_the_whole_source_where_an_older_version_noted_names_alone) {
  delivered_work work;
  task_spec old;
  old.source = "cart.py";
  old.source_digest = sha256("content");
  old.traits[units_trait] = pack_units({"total"}, {"total", "other"});
  work.add(old);
  const auto total = unit_work_of("total", "def total(): pass");
  EXPECT_TRUE(work.covers("cart.py", sha256("content"), total, everything_is_there));
  EXPECT_FALSE(work.covers("cart.py", sha256("changed"), total, everything_is_there));
  EXPECT_FALSE(work.covers("cart.py", sha256("content"), unit_work_of("other", "x"), everything_is_there));
}

}  // namespace
}  // namespace cohort::inline messages
