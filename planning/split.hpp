// A source that is too big for one request, cut by symbol.
// Invariant: a function is never cut; every wanted symbol is in exactly one part; pieces are verbatim and in order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "planning/parser.hpp"

namespace cohort {

struct split_limits {
  uint64_t max_source_bytes = 0;  ///< Of one part's text.
  uint32_t max_units = 0;         ///< Functions and methods in one part.
};

/// What one request shows and asks for.
struct source_part {
  std::string text;
  std::vector<symbol> symbols;  ///< A class that was too big is in several parts, each with some of its methods.
};

/// Functions and methods to test in `what`; at least 1.
[[nodiscard]] uint32_t units_in(const symbol& what) noexcept;

/// One part with the whole text if that is within the limits. Otherwise each part holds the file's imports, its
/// other small statements as far as a quarter of the room allows, the full text of its symbols, and what they
/// mention of the file's other definitions as far as that fits. A symbol that alone is over the limit of units gets a
/// part of its own; a class whose text is too long is cut between methods.
/// Fails with `ec::file_too_large` if a single function or the imports do not fit.
[[nodiscard]] expected<std::vector<source_part>> split_source(const language& lang, const source_file& file,
                                                              std::string_view text, std::span<const symbol> wanted,
                                                              std::string_view constructor, const split_limits& limits);

}  // namespace cohort
