// Check values for rows: SQLite notices a damaged tree, but not a flipped bit inside a number or a text.
// Invariant: each step is a bijection, so that a change of any single word always changes the seal.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace cohort {

/// Folds numbers and text into one integer that is stored beside them. No protection against intent.
class seal {
 public:
  constexpr seal& add(uint64_t word) noexcept {
    sum_ = (sum_ ^ word) * 0x9FB21C651E98DF25ULL;
    sum_ ^= sum_ >> 32;
    return *this;
  }
  constexpr seal& add(int64_t word) noexcept { return add(static_cast<uint64_t>(word)); }
  constexpr seal& add(uint32_t word) noexcept { return add(uint64_t{word}); }
  seal& add(std::string_view text) noexcept {
    add(uint64_t{text.size()});
    while (!text.empty()) {
      uint64_t word = 0;
      const auto length = text.size() < sizeof word ? text.size() : sizeof word;
      std::memcpy(&word, text.data(), length);
      add(word);
      text.remove_prefix(length);
    }
    return *this;
  }
  [[nodiscard]] constexpr int64_t value() const noexcept { return static_cast<int64_t>(sum_); }

 private:
  uint64_t sum_ = 0x9E3779B97F4A7C15ULL;
};

}  // namespace cohort
