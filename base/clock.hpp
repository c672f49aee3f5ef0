// Defines two kinds of time that must not be mixed: steady time measures, wall time is shown and stored.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cohort::inline base {

using milliseconds = std::chrono::milliseconds;
using steady_clock = std::chrono::steady_clock;
using steady_time = steady_clock::time_point;

/// Milliseconds since 1970 UTC, as stored in the ledger.
struct wall_time {
  int64_t ms = 0;
  friend constexpr auto operator<=>(wall_time, wall_time) = default;
};

[[nodiscard]] wall_time wall_now() noexcept;

/// "2025-06-30T12:45:00.000Z".
[[nodiscard]] std::string to_iso8601(wall_time time);

/// Reads RFC 3339's form of ISO 8601, with `Z` or an offset. Dates that no calendar has are refused.
[[nodiscard]] expected<wall_time> parse_iso8601(std::string_view text);

/// "1h 02m", "3m 20s", "12s": for people.
[[nodiscard]] std::string human_duration(milliseconds duration);

}  // namespace cohort::inline base
