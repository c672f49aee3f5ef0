// Surveys a project: its files, what they hold, which tests exist, where tests are missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "languages/grammars/language.hpp"
#include "languages/syntax/parser.hpp"
#include "planning/survey/discovery.hpp"

namespace cohort::planning {

enum class survey_cache : uint8_t {
  off,
  read_only,  ///< Dry runs: nothing is written.
  read_write,
};

struct survey_options {
  discovery_options discover;
  uint32_t min_complexity = 5;  ///< 1 to 10; files below it have no gap.
  uint32_t threads = 2;         ///< At least 1.
  survey_cache cache = survey_cache::off;
  std::filesystem::path cache_file;  ///< Used unless `cache` is off.
  /// Called now and then from the calling thread's workers, never by two at once: files done, files in all.
  std::function<void(size_t done, size_t total)> progress;

  [[nodiscard]] expected<void> validate() const;
};

/// A file of which public symbols lack tests.
struct file_gap {
  uint32_t file = 0;               ///< Index in `project_survey::files`.
  std::vector<uint32_t> untested;  ///< Indices in the file's `symbols`, ascending. Never empty.
  std::string framework;           ///< "pytest", "node:test", ...
  std::vector<std::string> tests;  ///< Tests that cover other symbols of the file; they come first as style examples.
  std::vector<std::string> examples;      ///< Else the nearest tests of the same language and framework; at most 3.
  std::vector<std::string> dependencies;  ///< Files of the project that it imports directly; sorted.
  std::string import_root;                ///< See `module_resolver::import_root`.
};

/// Counts for people; those from `tests` to `with_gaps` add up to `parsed`.
struct survey_counts {
  uint32_t candidates = 0;  ///< Files with a known extension that count.
  uint32_t parsed = 0;
  uint32_t tests = 0;
  uint32_t no_public_symbols = 0;  ///< Nothing that runs is public: constants, types, scripts.
  uint32_t fully_tested = 0;
  uint32_t too_simple = 0;    ///< Lacks tests, but is below the least complexity.
  uint32_t not_loadable = 0;  ///< Lacks tests, but its test framework cannot load it; among the skipped, with a reason.
  uint32_t with_gaps = 0;
  uint32_t from_cache = 0;
  uint32_t untested_symbols = 0;  ///< In the files with gaps.
};

struct project_survey {
  std::vector<languages::source_file> files;  ///< Sorted by path; imports resolved.
  std::vector<skipped_file> skipped;          ///< Sorted by path.
  std::vector<file_gap> gaps;                 ///< Sorted by path.
  survey_counts counts;
  std::vector<std::string> warnings;  ///< Damaged manifests, an unreadable index, a cache that could not be written.
};

/// Surveys the whole project. A single file never makes it fail. Deterministic for a given tree.
[[nodiscard]] expected<project_survey> survey(const std::filesystem::path& project, const survey_options& options,
                                              const discovery_rules& rules, const languages::language_set& languages);

/// The same, with the rules of `config_directory()`.
[[nodiscard]] expected<project_survey> survey(const std::filesystem::path& project, const survey_options& options,
                                              const languages::language_set& languages);

}  // namespace cohort::planning
