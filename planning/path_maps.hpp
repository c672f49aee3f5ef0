// What a compiler is told about names in imports: `paths` and `baseUrl` of the tsconfig.json that is nearest upward.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "planning/language.hpp"
#include "planning/manifests.hpp"

namespace cohort {

/// Answers for one project. Remembers what it read; not for several threads at once.
class path_maps {
 public:
  explicit path_maps(manifest_reader& manifests) : manifests_(manifests) {}

  /// Where `module`, imported by a file in `folder`, may lie, best first: paths relative to the project, of files with
  /// or without their extension or of folders. What a configuration takes over (`extends`) counts if that is a file of
  /// the project.
  [[nodiscard]] std::vector<std::string> targets(const path_map_rules& rules, std::string_view folder,
                                                 std::string_view module);

 private:
  struct path_map {
    bool has_base = false;
    std::string base;                    ///< Folder, relative to the project.
    std::vector<name_mapping> mappings;  ///< Targets relative to the project.
    [[nodiscard]] bool empty() const noexcept { return !has_base && mappings.empty(); }
  };
  [[nodiscard]] const path_map& nearest(const path_map_rules& rules, std::string_view folder);
  [[nodiscard]] path_map read(const path_map_rules& rules, const std::string& file, int depth);
  void take_over(const path_map_rules& rules, const std::string& file, std::string name, int depth, path_map& into);

  manifest_reader& manifests_;
  std::map<std::pair<const path_map_rules*, std::string>, path_map> nearest_;  ///< By folder.
};

}  // namespace cohort
