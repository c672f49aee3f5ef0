#include "base/clock.hpp"

#include <gtest/gtest.h>

namespace cohort::inline base {
namespace {

int64_t ms_of(const char* text) {
  const auto read = parse_iso8601(text);
  EXPECT_TRUE(read) << text;
  return read ? read->ms : -1;
}

TEST(clock, reads_times_with_their_zone_and_fraction) {
  EXPECT_EQ(ms_of("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(ms_of("2025-06-30T12:45:00.250Z"), 1'751'287'500'250);
  EXPECT_EQ(ms_of("2025-06-30T14:45:00.25+02:00"), 1'751'287'500'250);
  EXPECT_EQ(ms_of("2025-06-30T06:45:00.2499999-06:00"), 1'751'287'500'250);
  EXPECT_EQ(ms_of("2016-12-31T23:59:60Z"), ms_of("2017-01-01T00:00:00Z"));
}

TEST(clock, writes_what_it_reads) {
  for (const auto* text :
       {"0000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2024-02-29T23:00:00.001Z", "9999-12-31T23:59:59.999Z"})
    EXPECT_EQ(to_iso8601({ms_of(text)}), text);
}

TEST(clock, refuses_times_that_no_calendar_has) {
  for (const auto* text : {"",
                           "2025-06-30",
                           "2025-13-01T00:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2025-06-31T00:00:00Z",
                           "2025-00-10T00:00:00Z",
                           "2025-06-30T24:00:00Z",
                           "2025-06-30T12:60:00Z",
                           "2025-06-30T12:45:61Z",
                           "2025-06-30T12:45:00",
                           "2025-06-30T12:45:00.Z",
                           "2025-06-30T12:45:nanZ",
                           "2025-06-30T12:45:00Z ",
                           "2025-06-30T12:45:00+24:00",
                           "2025-06-30T12:45:00+0200",
                           " 025-06-30T12:45:00Z",
                           "-025-06-30T12:45:00Z",
                           "+2025-06-30T12:45:00Z",
                           "9999-12-31T23:59:60Z",
                           "0000-01-01T00:00:00+01:00"})
    EXPECT_FALSE(parse_iso8601(text)) << text;
}

}  // namespace
}  // namespace cohort::inline base
