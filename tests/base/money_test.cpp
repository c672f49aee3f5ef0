#include "base/money.hpp"

#include <gtest/gtest.h>

namespace cohort::inline base {
namespace {

TEST(money, reads_dollars_to_the_nano_dollar) {
  EXPECT_EQ(parse_dollars("2").value().count, 2'000'000'000);
  EXPECT_EQ(parse_dollars("2.00").value().count, 2'000'000'000);
  EXPECT_EQ(parse_dollars(".5").value().count, 500'000'000);
  EXPECT_EQ(parse_dollars("0.000000001").value().count, 1);
}

TEST(money, refuses_what_is_no_amount) {
  for (const char* bad :
       {"", ".", "-1", "1e3", "1,5", "two", "1.0000000001", "1000000001", "99999999999999999999", " 1"})
    EXPECT_EQ(parse_dollars(bad).error().code, ec::usage) << bad;
}

TEST(money, shows_small_amounts_with_the_digits_they_need) {
  EXPECT_EQ(to_string(nano_dollars{1'230'000'000}), "$1.23");
  EXPECT_EQ(to_string(nano_dollars{4'200'000}), "$0.0042");
  EXPECT_EQ(to_string(nano_dollars{0}), "$0.00");
  EXPECT_EQ(to_string(nano_dollars{-1'500'000'000}), "-$1.50");
}

TEST(money, shows_every_digit_of_a_limit) {
  EXPECT_EQ(exact_dollars(nano_dollars{204'811'000}), "$0.204811");
  EXPECT_EQ(exact_dollars(nano_dollars{2'000'000'000}), "$2.00");
  EXPECT_EQ(exact_dollars(nano_dollars{0}), "$0.00");
}

TEST(money, saturates_instead_of_wrapping) {
  EXPECT_EQ(nano_dollars::max() + nano_dollars{1}, nano_dollars::max());
  EXPECT_EQ(cost_sum{}.add(UINT64_MAX, pico_rate{INT64_MAX}).total(), nano_dollars::max());
}

TEST(money, rounds_a_sum_up_once) {
  EXPECT_EQ(cost_sum{}.add(1, pico_rate{1}).total().count, 1);
  EXPECT_EQ(cost_sum{}.add(1, pico_rate{600}).add(1, pico_rate{400}).total().count, 1);
}

}  // namespace
}  // namespace cohort::inline base
