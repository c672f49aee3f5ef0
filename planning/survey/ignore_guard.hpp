// Protects libgit2 from a project's ignore files: its matcher takes exponential time for some patterns, and waits for
// ever if a pipe is called .gitignore.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace cohort::planning {

/// Not for several threads at once.
class ignore_guard {
 public:
  /// `root` is the work tree, `repository` its git folder.
  ignore_guard(std::filesystem::path root, std::filesystem::path repository);

  /// Whether git may be asked about `path`, relative to the root: the ignore files on the way are plain files, and
  /// their patterns take a bounded time for a path of this length. Decided from the number of stars, before git is
  /// asked.
  [[nodiscard]] bool allows(std::string_view path);

  /// Ignore files that git was not asked about, relative to the root, and why.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept { return problems_; }

 private:
  /// The patterns in force in a folder: how many patterns have how many `*` in one component, and how many `**`.
  struct rules {
    bool usable = true;
    std::map<std::pair<uint32_t, uint32_t>, uint64_t> weights;
    std::string costly;  ///< The file with the costliest pattern.
    std::pair<uint32_t, uint32_t> most{0, 0};
  };
  using shared_rules = std::shared_ptr<const rules>;
  [[nodiscard]] shared_rules in_force(std::string_view folder);
  [[nodiscard]] shared_rules with(const std::filesystem::path& file, const std::string& shown, shared_rules above);

  std::filesystem::path root_;
  std::filesystem::path repository_;
  std::unordered_map<std::string, shared_rules> by_folder_;  ///< Folders without a file of their own share.
  std::map<std::string, std::string> problems_;
  uint64_t steps_left_;
};

}  // namespace cohort::planning
