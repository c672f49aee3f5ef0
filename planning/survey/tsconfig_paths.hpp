// Resolves imports by `paths` and `baseUrl` of the nearest tsconfig.json upward.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "languages/grammars/language.hpp"
#include "planning/survey/manifests.hpp"

namespace cohort::planning {

/// Answers for one project. Remembers what it read; not for several threads at once.
class path_maps {
 public:
  explicit path_maps(manifest_reader& manifests) : manifests_(manifests) {}

  /// The paths at which `module`, imported by a file in `folder`, may be, best first: paths relative to the project, of
  /// files with or without their extension or of folders. The settings that a configuration extends count if they are
  /// in a file of the project.
  [[nodiscard]] std::vector<std::string> targets(const languages::path_map_rules& rules, std::string_view folder,
                                                 std::string_view module);

 private:
  struct path_map {
    bool has_base = false;
    std::string base;  ///< Folder, relative to the project.
    /// Targets relative to the project. Null: none. Shared with the files that extend this one.
    std::shared_ptr<const std::vector<name_mapping>> mappings;
    [[nodiscard]] bool empty() const noexcept { return !has_base && !mappings; }
  };
  using shared_map = std::shared_ptr<const path_map>;
  using by_place = std::map<std::pair<const languages::path_map_rules*, std::string>, shared_map>;

  [[nodiscard]] shared_map nearest(const languages::path_map_rules& rules, std::string_view folder);
  [[nodiscard]] shared_map read(const languages::path_map_rules& rules, const std::string& file, int depth);
  void take_over(const languages::path_map_rules& rules, const std::string& file, std::string name, int depth,
                 path_map& into);
  [[nodiscard]] std::vector<name_mapping> read_mappings(const std::string& file, const nlohmann::json& paths,
                                                        const std::string& base);

  manifest_reader& manifests_;
  by_place nearest_;  ///< By folder. Folders share the configurations above them.
  by_place read_;     ///< By file; null while it is being read: files may extend each other in a circle.
};

}  // namespace cohort::planning
