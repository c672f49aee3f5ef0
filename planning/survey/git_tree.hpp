// Asks git, through libgit2, about the files of a project.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace cohort::planning {

/// A git work tree, seen from a project inside it. All paths are relative to the project.
class git_tree {
 public:
  /// Never fails: without a usable work tree `usable()` is false, and `note()` says why if there is a repository.
  explicit git_tree(const std::filesystem::path& project);
  ~git_tree();
  git_tree(const git_tree&) = delete;
  git_tree& operator=(const git_tree&) = delete;

  [[nodiscard]] bool usable() const noexcept;
  [[nodiscard]] const std::string& note() const noexcept;
  [[nodiscard]] const std::filesystem::path& root() const noexcept;

  [[nodiscard]] bool tracks(std::string_view path) const;          ///< A tracked file.
  [[nodiscard]] bool tracks_below(std::string_view folder) const;  ///< Some tracked file below the folder.
  [[nodiscard]] bool is_submodule(std::string_view folder) const;
  /// Also true if the answer would take too long: see `problems`.
  [[nodiscard]] bool ignores(std::string_view path, bool folder) const;

  /// Ignore files that are not asked about, relative to the work tree, and why.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace cohort::planning
