// Computes with money as integers. The unit of a sum is the nano-dollar; a rate is pico-dollars per token, because half
// of the cheapest price times 1.1 is no whole number of nano-dollars.
// Invariant: no floating point between usage and sum; overflow saturates, it never wraps.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cohort::inline base {

/// An amount of money: 1 USD = 1'000'000'000 nano-dollars. Range about +-9.2 billion USD.
struct nano_dollars {
  int64_t count = 0;

  friend constexpr auto operator<=>(nano_dollars, nano_dollars) = default;

  static constexpr nano_dollars max() noexcept { return {std::numeric_limits<int64_t>::max()}; }

  friend constexpr nano_dollars operator+(nano_dollars a, nano_dollars b) noexcept {
    int64_t sum = 0;
    if (__builtin_add_overflow(a.count, b.count, &sum))
      return {a.count > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min()};
    return {sum};
  }
  friend constexpr nano_dollars operator-(nano_dollars a, nano_dollars b) noexcept {
    int64_t difference = 0;
    if (__builtin_sub_overflow(a.count, b.count, &difference))
      return {a.count > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min()};
    return {difference};
  }
  constexpr nano_dollars& operator+=(nano_dollars other) noexcept { return *this = *this + other; }
  constexpr nano_dollars& operator-=(nano_dollars other) noexcept { return *this = *this - other; }
};

/// A price: pico-dollars per token. 1 USD per million tokens = 1'000'000.
struct pico_rate {
  int64_t per_token = 0;

  friend constexpr auto operator<=>(pico_rate, pico_rate) = default;
};

__extension__ typedef __int128 wide_integer;

/// Sums `tokens x rate` exactly and rounds once, up to the next nano-dollar, when asked for the total.
class cost_sum {
 public:
  constexpr cost_sum& add(uint64_t tokens, pico_rate rate) noexcept {
    pico_ += static_cast<wide_integer>(tokens) * rate.per_token;
    return *this;
  }
  [[nodiscard]] constexpr nano_dollars total() const noexcept {
    const wide_integer nano = (pico_ + 999) / 1000;
    return nano > std::numeric_limits<int64_t>::max() ? nano_dollars::max() : nano_dollars{static_cast<int64_t>(nano)};
  }

 private:
  wide_integer pico_ = 0;
};

/// Reads "2", "2.00" or "0.000000001"; at most nine decimals, not negative, at most one billion dollars.
[[nodiscard]] expected<nano_dollars> parse_dollars(std::string_view text);

/// "$1.23", or with as many further digits as small amounts need: "$0.0042".
[[nodiscard]] std::string to_string(nano_dollars amount);

/// "$1.23456": every digit that is not a trailing zero, at least two decimals; reads back as the same amount.
[[nodiscard]] std::string exact_dollars(nano_dollars amount);

/// Dollars as a number for JSON views; exact enough to show; never used for sums.
[[nodiscard]] double as_dollars(nano_dollars amount) noexcept;

}  // namespace cohort::inline base
