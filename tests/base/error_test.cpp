#include "base/error.hpp"

#include <set>

#include <gtest/gtest.h>

namespace cohort::inline base {
namespace {

TEST(error, every_code_has_a_name_and_a_sentence_of_its_own) {
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
  for (int value = 1; value < 256; ++value) {
    const auto code = static_cast<ec>(value);
    if (name(code) == name(ec::none)) continue;
    EXPECT_TRUE(names.insert(name(code)).second) << name(code);
    EXPECT_TRUE(sentences.insert(sentence(code)).second) << name(code);
    EXPECT_EQ(code_named(name(code)), code);
  }
  EXPECT_GT(names.size(), 40u);
}

TEST(error, what_stops_the_run_is_never_retried) {
  for (int value = 1; value < 256; ++value) {
    const auto code = static_cast<ec>(value);
    EXPECT_FALSE(stops_run(code) && retryable(code)) << name(code);
  }
}

}  // namespace
}  // namespace cohort::inline base
