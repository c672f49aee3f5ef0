// Finds the sources that a test framework cannot load: files that it cannot load itself, and all that import these,
// directly or not.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "languages/syntax/parser.hpp"
#include "planning/survey/framework_detection.hpp"

namespace cohort::planning {

class loadability {
 public:
  /// The arguments have to outlive this object; their imports must be resolved.
  loadability(const std::vector<languages::parsed_file>& files, const languages::language_set& languages,
              framework_finder& frameworks);

  /// A sentence why a test under `framework` cannot import the file; empty if it can.
  [[nodiscard]] std::string why_not(uint32_t file, const std::string& framework);

 private:
  struct verdict {
    const languages::load_rule* rule = nullptr;
    uint32_t cause = 0;  ///< The file that cannot be loaded.
  };
  using verdicts = std::unordered_map<uint32_t, verdict>;  ///< By file; those without one can be loaded.
  [[nodiscard]] verdicts look(const std::string& framework);

  const std::vector<languages::parsed_file>& files_;
  const languages::language_set& languages_;
  framework_finder& frameworks_;
  std::map<std::string, verdicts> known_;
};

}  // namespace cohort::planning
