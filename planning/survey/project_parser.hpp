// Reads and parses all candidates on a few threads, using the cache. For survey.cpp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "planning/survey/survey.hpp"

namespace cohort::planning {

struct parsed_project {
  std::vector<languages::parsed_file> files;  ///< Sorted by path.
  std::vector<skipped_file> skipped;          ///< Candidates that could not be read or parsed.
  uint32_t from_cache = 0;
  std::string warning;  ///< Of the cache; empty if all went well.
};

[[nodiscard]] parsed_project parse_all(const std::filesystem::path& project, const std::vector<candidate_file>& files,
                                       const survey_options& options, const discovery_rules& rules,
                                       const languages::language_set& languages);

}  // namespace cohort::planning
