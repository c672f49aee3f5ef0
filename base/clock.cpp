// Wall time in and out of text.

#include "base/clock.hpp"

#include <cstdio>
#include <ctime>

#include <fmt/format.h>

namespace cohort {

wall_time wall_now() noexcept {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::string to_iso8601(wall_time time) {
  const auto second = static_cast<std::time_t>(time.ms >= 0 ? time.ms / 1000 : (time.ms - 999) / 1000);
  const auto ms = time.ms - static_cast<int64_t>(second) * 1000;
  std::tm parts{};
  gmtime_r(&second, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, ms);
}

expected<wall_time> parse_iso8601(std::string_view text) {
  const std::string copy{text};
  std::tm parts{};
  double seconds = 0;
  char zone[8] = {0};
  const int fields = std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%lf%7s", &parts.tm_year, &parts.tm_mon,
                                 &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &seconds, zone);
  int offset_hours = 0;
  int offset_minutes = 0;
  const bool has_offset = zone[0] == '+' || zone[0] == '-';
  const bool zone_ok = zone[0] == 'Z' || zone[0] == 'z' ||
                       (has_offset && std::sscanf(zone + 1, "%2d:%2d", &offset_hours, &offset_minutes) == 2);
  if (fields != 7 || !zone_ok || seconds < 0 || seconds >= 61)
    return fail(ec::config_invalid, fmt::format("'{}' is not a time such as 2025-06-30T12:45:00.000Z", text));
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const int64_t base = static_cast<int64_t>(timegm(&parts)) * 1000;
  const int64_t offset = (offset_hours * 60 + offset_minutes) * 60'000LL * (zone[0] == '-' ? -1 : 1);
  return wall_time{base + static_cast<int64_t>(seconds * 1000.0 + 0.5) - offset};
}

std::string human_duration(milliseconds duration) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) return fmt::format("{}m {:02}s", total / 60, total % 60);
  return fmt::format("{}h {:02}m", total / 3600, total / 60 % 60);
}

}  // namespace cohort
