// Resolves imports by package.json: the package's own name, its entry and other exports, the packages of its workspace.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "languages/grammars/language.hpp"
#include "planning/survey/manifests.hpp"

namespace cohort::planning {

/// Answers for one project. Remembers what it read; not for several threads at once.
class package_finder {
 public:
  /// `folders` are those with planned files in or below them; the strings must outlive the finder.
  package_finder(manifest_reader& manifests, std::vector<std::string_view> folders)
      : manifests_(manifests), folders_(std::move(folders)) {}

  /// The paths at which `module`, imported by a file in `folder`, may be if it is a package of the project or something
  /// in one ("@shop/money/cents"), best first: paths relative to the project, of files with or without their extension
  /// or of folders. Empty if no package of the project is called so.
  [[nodiscard]] std::vector<std::string> targets(const languages::package_rules& rules, std::string_view folder,
                                                 std::string_view module);

  /// The same for an import of the very folder in which a package lies. Empty if it has no manifest.
  [[nodiscard]] std::vector<std::string> entry_targets(const languages::package_rules& rules,
                                                       const std::string& folder);

 private:
  struct package {
    std::string name;
    std::vector<name_mapping> exports;  ///< "." is the package itself, "./cents" something in it.
    std::vector<std::string> entries;   ///< The package's entry files, used if `exports` does not name it.
    std::vector<std::string> members;   ///< Globs on folders, below this one.
    bool exists = false;
  };
  using folder_names = std::map<std::string, std::string, std::less<>>;

  [[nodiscard]] const package& at(const languages::package_rules& rules, std::string_view folder);
  [[nodiscard]] const folder_names& members_of(const languages::package_rules& rules, std::string_view folder);
  [[nodiscard]] std::optional<std::string> find(const languages::package_rules& rules, std::string_view folder,
                                                std::string_view name);
  [[nodiscard]] std::vector<std::string> targets_in(const languages::package_rules& rules, const std::string& folder,
                                                    const std::string& subpath);

  template <class Value>
  using by_folder = std::map<std::pair<const languages::package_rules*, std::string>, Value>;

  manifest_reader& manifests_;
  std::vector<std::string_view> folders_;
  by_folder<package> packages_;
  by_folder<folder_names> members_;    ///< Of a workspace: name -> folder.
  uint64_t steps_left_ = 500'000'000;  ///< Of matching globs, in all workspaces: some seconds.
};

}  // namespace cohort::planning
