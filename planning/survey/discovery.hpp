// Finds the files of a project that count: what git tracks or would track, otherwise all but the usual build, vendor
// and hidden folders. Nothing that is found stops the walk; a file that is left out although it could count has a
// reason.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_set>
#include <vector>

#include "base/error.hpp"
#include "languages/grammars/language.hpp"

namespace cohort::planning {

/// The data of config/discovery.json.
struct discovery_rules {
  uint64_t max_file_bytes = 0;
  std::vector<std::string> never_folders;        ///< Names; not even when tracked.
  std::string committed_tests;                   ///< A folder in one of these, of which tracked files count.
  std::vector<std::string> without_git_folders;  ///< Names; left out if git does not decide.
  bool without_git_hidden_folders = false;       ///< Whether hidden folders count if git does not decide.
  std::vector<std::string> generated_files;      ///< Globs on names.
};

[[nodiscard]] expected<discovery_rules> load_discovery_rules(const std::filesystem::path& config_dir);

struct discovery_options {
  std::vector<std::string> include;  ///< Globs; empty: everything. See glob.hpp.
  std::vector<std::string> exclude;
  /// Files that this program wrote, relative to the project: neither sources nor the user's tests, in whatever folder.
  std::unordered_set<std::string> generated;
};

/// A file or folder that was left out although its name could count.
struct skipped_file {
  std::string path;    ///< Relative to the project; may hold any byte but NUL.
  ec code = ec::none;  ///< `ec::none`: left out on purpose, for example because it is generated.
  std::string reason;  ///< For people.
};

struct candidate_file {
  std::string path;  ///< Relative to the project, '/' separators.
  const languages::language* lang = nullptr;
};

struct discovery {
  std::vector<candidate_file> files;  ///< Sorted by path.
  std::vector<skipped_file> skipped;  ///< Sorted by path.
  std::filesystem::path work_tree;    ///< Root of the git work tree; empty without git.
  std::string note;                   ///< Why git was not used although there is a repository; else empty.
};

/// Fails only if `project` itself cannot be read or is not a folder. The content of files is not read here.
[[nodiscard]] expected<discovery> discover(const std::filesystem::path& project, const discovery_options& options,
                                           const discovery_rules& rules, const languages::language_set& languages);

/// A candidate's text, or why it is to be skipped: `ec::binary_file`, `ec::not_utf8`, `ec::file_too_large`, ...
[[nodiscard]] expected<std::string> read_source(const std::filesystem::path& project, const std::string& path,
                                                const discovery_rules& rules);

}  // namespace cohort::planning
