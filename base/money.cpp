// Reads and shows amounts of money.

#include "base/money.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

namespace cohort::inline base {

namespace {

constexpr int64_t nanos_in_dollar = 1'000'000'000;
constexpr int64_t most_dollars = 1'000'000'000;

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

expected<nano_dollars> parse_dollars(std::string_view text) {
  const auto refuse = [text](std::string_view why) {
    return fail(ec::usage, fmt::format("'{}' is not an amount in dollars: {}. Write it like 2.50", text, why));
  };
  if (!text.empty() && text.front() == '-') return refuse("it is negative");
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  const auto decimals = dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
  if (whole.empty() && decimals.empty()) return refuse("it holds no digits");
  if (!all_digits(whole) || !all_digits(decimals)) return refuse("only digits and one point are allowed");
  if (decimals.size() > 9) return refuse("it has more than nine decimals");
  int64_t dollars = 0;
  if (!whole.empty()) {
    const auto [_, failed] = std::from_chars(whole.data(), whole.data() + whole.size(), dollars);
    if (failed != std::errc{} || dollars > most_dollars) return refuse("it is more than a billion dollars");
  }
  std::string padded{decimals};
  padded.resize(9, '0');
  int64_t nanos = 0;
  std::from_chars(padded.data(), padded.data() + padded.size(), nanos);
  return nano_dollars{dollars * nanos_in_dollar + nanos};
}

std::string to_string(nano_dollars amount) {
  const bool negative = amount.count < 0;
  const auto magnitude =
      negative ? static_cast<uint64_t>(-(amount.count + 1)) + 1 : static_cast<uint64_t>(amount.count);
  const auto dollars = magnitude / nanos_in_dollar;
  std::string decimals = fmt::format("{:09}", magnitude % nanos_in_dollar);
  const auto first_digit = decimals.find_first_not_of('0');
  size_t shown = 2;
  if (dollars == 0 && first_digit != std::string::npos)
    shown = std::max<size_t>(2, std::min<size_t>(9, first_digit + 2));
  decimals.resize(shown);
  return fmt::format("{}${}.{}", negative ? "-" : "", dollars, decimals);
}

std::string exact_dollars(nano_dollars amount) {
  const auto whole = amount.count / nanos_in_dollar;
  std::string decimals = fmt::format("{:09}", std::abs(amount.count % nanos_in_dollar));
  decimals.resize(std::max<size_t>(2, decimals.find_last_not_of('0') + 1));
  return fmt::format("{}${}.{}", amount.count < 0 ? "-" : "", std::abs(whole), decimals);
}

double as_dollars(nano_dollars amount) noexcept { return static_cast<double>(amount.count) / nanos_in_dollar; }

}  // namespace cohort::inline base
