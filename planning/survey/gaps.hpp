// Which public symbols lack a test, judged by the project's own tests.
// A test covers a symbol if it imports the symbol's file (directly or through files that hand names on), or is named
// after it, and mentions the symbol's name in code outside its imports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "languages/grammars/language.hpp"
#include "languages/syntax/parser.hpp"

namespace cohort::planning {

/// How one source file stands.
struct file_coverage {
  std::vector<uint32_t> testable;  ///< Indices of public functions and classes.
  std::vector<uint32_t> untested;  ///< Those of them that no test covers.
  std::vector<uint32_t> tests;     ///< Indices of test files that import the file or are named after it, ascending.
};

struct coverage_of_all {
  std::vector<file_coverage> files;  ///< One entry for each file, empty for tests.
  /// The test at which the work for one project was used up: tests behind it count for nothing. Empty if none was.
  std::string not_followed;
};

/// `files` are sorted by path and their imports resolved.
[[nodiscard]] coverage_of_all find_coverage(const std::vector<languages::parsed_file>& files,
                                            const languages::language_set& languages);

/// True for the kinds of symbols that run and can so be tested.
[[nodiscard]] bool is_testable(const languages::symbol& one) noexcept;

}  // namespace cohort::planning
