// Finds a file's definitions and its exports. For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "languages/syntax/source.hpp"
#include "languages/syntax/syntax_tree.hpp"

namespace cohort::languages {

/// The definitions of a file, before names, imports and exports are combined.
struct file_symbols {
  std::vector<symbol> symbols;
  /// Local name -> exported name ("default" for the default export), from `export { a as b }` and the like.
  std::vector<std::pair<std::string, std::string>> exports;
  bool uses_exports = false;     ///< `export ...`
  bool assigns_exports = false;  ///< `module.exports = ...`
  bool exports_whole = false;    ///< `export = ...`
};

/// Reads the statements below `root`. Symbols come in the order of the file, one for each name.
[[nodiscard]] file_symbols read_symbols(const grammar_rules& rules, TSNode root, std::string_view text);

}  // namespace cohort::languages
