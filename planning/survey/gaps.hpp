// Finds the public symbols that no test of the project covers. A test covers a symbol if it imports the symbol's file
// (directly or through files that re-export names), or is named after it, and mentions the symbol's name in code
// outside its imports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "languages/grammars/language.hpp"
#include "languages/syntax/parser.hpp"

namespace cohort::planning {

/// What the tests cover of one source file.
struct file_coverage {
  std::vector<uint32_t> testable;  ///< Indices of public functions and classes.
  std::vector<uint32_t> untested;  ///< Those of them that no test covers.
  std::vector<uint32_t> tests;     ///< Indices of test files that import the file or are named after it, ascending.
};

struct coverage_of_all {
  std::vector<file_coverage> files;  ///< One entry for each file, empty for tests.
  /// The test at which the bound on steps was reached: later tests are not counted. Empty if it was not reached.
  std::string not_followed;
};

/// `files` are sorted by path and their imports resolved.
[[nodiscard]] coverage_of_all find_coverage(const std::vector<languages::parsed_file>& files,
                                            const languages::language_set& languages);

/// True for the kinds of symbols that run and therefore can be tested.
[[nodiscard]] bool is_testable(const languages::symbol& one) noexcept;

}  // namespace cohort::planning
