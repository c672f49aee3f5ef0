// Cuts a source that is too big for one request, by symbol.
// Invariant: a function is never cut; every wanted symbol is in exactly one part, or named as left out; pieces are
// verbatim and in order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "languages/syntax/parser.hpp"

namespace cohort::planning {

struct split_limits {
  uint64_t max_source_bytes = 0;  ///< Of one part's text.
  uint32_t max_units = 0;         ///< Functions and methods in one part.
};

/// The part of a source that one request shows, with the symbols that it asks for.
struct source_part {
  std::string text;
  std::vector<languages::symbol>
      symbols;  ///< A class that was too big is in several parts, each with some of its methods.
};

/// A wanted symbol that no request can show.
struct oversized_symbol {
  std::string name;  ///< "total", "Cart.total".
  error why;         ///< `ec::file_too_large`, with the sizes and what helps.
};

struct source_split {
  std::vector<source_part> parts;
  std::vector<oversized_symbol> left_out;  ///< In the file's order.
};

/// Functions and methods to test in `what`; at least 1.
[[nodiscard]] uint32_t units_in(const languages::symbol& what) noexcept;

/// One part with the whole text if that is within the limits. Otherwise each part holds the file's imports, its other
/// small statements as far as a quarter of the room allows, the full text of its symbols, and, as far as there is room,
/// the file's other definitions that they mention. A symbol that by itself is above the limit of units gets a part of
/// its own; a class whose text is too long is cut between methods. A function that does not fit by itself is left out.
/// Fails with `ec::file_too_large` if nothing fits.
[[nodiscard]] expected<source_split> split_source(const languages::language& lang, const languages::source_file& file,
                                                  std::string_view text, std::span<const languages::symbol> wanted,
                                                  std::string_view constructor, const split_limits& limits);

}  // namespace cohort::planning
