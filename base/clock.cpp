// Writes times as text and reads them back.

#include "base/clock.hpp"

#include <ctime>
#include <optional>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort::inline base {

namespace {
constexpr int64_t earliest_ms = -62'167'219'200'000;  ///< The year 0 begins.
constexpr int64_t latest_ms = 253'402'300'799'999;    ///< The year 9999 ends.
}  // namespace

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

namespace {

/// Takes `count` digits off the front of `text`; without a value if they are not there.
std::optional<int> take_digits(std::string_view& text, size_t count) {
  int value = 0;
  if (text.size() < count) return std::nullopt;
  for (const char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take_mark(std::string_view& text, char mark) {
  if (text.empty() || text.front() != mark) return false;
  text.remove_prefix(1);
  return true;
}

/// Digits behind the seconds, rounded to milliseconds: 0 to 1000. Without a value if a point has no digits behind it.
std::optional<int> take_fraction(std::string_view& text) {
  if (!take_mark(text, '.')) return 0;
  int tenths_of_ms = 0;
  size_t digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (digits < 4) tenths_of_ms = tenths_of_ms * 10 + (text.front() - '0');
    ++digits;
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 4; ++digits) tenths_of_ms *= 10;
  return (tenths_of_ms + 5) / 10;
}

/// "Z" or "+02:00" in milliseconds, with nothing behind it.
std::optional<int64_t> take_zone(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  const bool west = !text.empty() && text.front() == '-';
  if (!take_mark(text, west ? '-' : '+')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_mark(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59 || !text.empty()) return std::nullopt;
  return (*hours * 60 + *minutes) * 60'000LL * (west ? -1 : 1);
}

/// A calendar day as the number of days since 1970; without a value if there is no such day.
std::optional<int64_t> take_day(std::string_view& text) {
  using namespace std::chrono;
  const auto years = take_digits(text, 4);
  if (!years || !take_mark(text, '-')) return std::nullopt;
  const auto months = take_digits(text, 2);
  if (!months || !take_mark(text, '-')) return std::nullopt;
  const auto days_ = take_digits(text, 2);
  if (!days_) return std::nullopt;
  const year_month_day date{year{*years}, month{static_cast<unsigned>(*months)}, day{static_cast<unsigned>(*days_)}};
  if (!date.ok()) return std::nullopt;
  return sys_days{date}.time_since_epoch().count();
}

std::optional<wall_time> read_iso8601(std::string_view text) {
  const auto days = take_day(text);
  if (!days || !take_mark(text, 'T')) return std::nullopt;
  const auto hours = take_digits(text, 2);
  if (!hours || *hours > 23 || !take_mark(text, ':')) return std::nullopt;
  const auto minutes = take_digits(text, 2);
  if (!minutes || *minutes > 59 || !take_mark(text, ':')) return std::nullopt;
  const auto seconds = take_digits(text, 2);
  if (!seconds || *seconds > 60) return std::nullopt;  // 60: a leap second
  const auto fraction = take_fraction(text);
  const auto zone = fraction ? take_zone(text) : std::nullopt;
  if (!zone) return std::nullopt;
  const auto second = ((*days * 24 + *hours) * 60 + *minutes) * 60 + *seconds;
  const wall_time time{second * 1000 + *fraction - *zone};
  // What is read can be written in the same form: years of four digits.
  if (time < wall_time{earliest_ms} || time > wall_time{latest_ms}) return std::nullopt;
  return time;
}

}  // namespace

expected<wall_time> parse_iso8601(std::string_view text) {
  if (const auto time = read_iso8601(text)) return *time;
  return fail(ec::config_invalid,
              fmt::format("'{}' is not a time such as 2025-06-30T12:45:00.000Z", printable(text, 100)));
}

std::string human_duration(milliseconds duration) {
  const auto total = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (total < 60) return fmt::format("{}s", total);
  if (total < 3600) return fmt::format("{}m {:02}s", total / 60, total % 60);
  return fmt::format("{}h {:02}m", total / 3600, total / 60 % 60);
}

}  // namespace cohort::inline base
