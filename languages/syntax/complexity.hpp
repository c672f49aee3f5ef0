// Rates how much a file needs tests, on a scale from 1 to 10.
#pragma once

#include <cstdint>

namespace cohort::languages {

struct complexity_facts {
  uint32_t branches = 0;   ///< Decision points in the whole file.
  uint32_t nesting = 0;    ///< The deepest nesting of statements that decide or repeat.
  uint32_t lines = 0;      ///< Non-blank.
  uint32_t callables = 0;  ///< Functions and methods.
  uint32_t imports = 0;
};

/// docs/planning.md explains the formula.
[[nodiscard]] uint32_t complexity_of(const complexity_facts& facts) noexcept;

}  // namespace cohort::languages
