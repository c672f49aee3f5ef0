// Finds the test framework of a file from the nearest manifests upward, never from texts in sources.
#pragma once

#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "languages/grammars/language.hpp"

namespace cohort::planning {

/// Answers for one project. Remembers what it read; not for several threads at once.
class framework_finder {
 public:
  /// Looks upward from a file to `project`, and on to `work_tree` if that is not empty (a package in a monorepo).
  framework_finder(std::filesystem::path project, std::filesystem::path work_tree);

  /// The id of the framework for the file `path` (relative to the project), such as "pytest".
  [[nodiscard]] const std::string& framework_of(const languages::language& lang, std::string_view path);

  /// Why `framework` cannot load the file `path` as it is; null if it can.
  [[nodiscard]] const languages::load_rule* obstacle(const languages::language& lang, const std::string& framework,
                                                     std::string_view path);

  /// Sentences about manifests that are damaged or unreadable, for warnings.
  [[nodiscard]] const std::map<std::string, std::string>& problems() const noexcept { return problems_; }

 private:
  [[nodiscard]] bool some_hold(const std::vector<languages::manifest_rule>& rules, const std::filesystem::path& folder);
  [[nodiscard]] const std::string* named_in(const languages::language& lang, const std::filesystem::path& folder);
  [[nodiscard]] bool says(const languages::manifest_rule& rule, const std::filesystem::path& manifest);

  struct open_manifest {
    std::string path;
    std::string text;
    std::shared_ptr<const nlohmann::json> document;  ///< Null until it is asked for.
  };
  [[nodiscard]] open_manifest& open(const std::filesystem::path& manifest);
  [[nodiscard]] const nlohmann::json& document_in(open_manifest& opened);

  std::filesystem::path project_;
  std::filesystem::path top_;  ///< The last folder to look into.
  std::map<std::pair<const languages::language*, std::string>, const std::string*> by_folder_;
  std::map<std::pair<const std::vector<languages::manifest_rule>*, std::string>, bool>
      holding_;                                                                   ///< In a folder or above it.
  std::map<std::pair<const languages::manifest_rule*, std::string>, bool> said_;  ///< By manifest.
  std::deque<open_manifest> opened_;                                              ///< A few, the newest last.
  std::map<std::string, std::string> problems_;                                   ///< Path -> what is wrong.
};

}  // namespace cohort::planning
