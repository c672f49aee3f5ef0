// Follows imports backwards from the files that cannot be loaded.

#include "planning/survey/unloadable_sources.hpp"

#include <algorithm>
#include <deque>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort::planning {

loadability::loadability(const std::vector<languages::parsed_file>& files, const languages::language_set& languages,
                         framework_finder& frameworks)
    : files_(files), languages_(languages), frameworks_(frameworks) {}

std::string loadability::why_not(uint32_t file, const std::string& framework) {
  auto known = known_.find(framework);
  if (known == known_.end()) known = known_.emplace(framework, look(framework)).first;
  const auto found = known->second.find(file);
  if (found == known->second.end()) return {};
  const auto& [rule, cause] = found->second;
  if (cause == file) return rule->reason;
  return fmt::format("it imports '{}': {}", printable(files_[cause].file.path), rule->reason);
}

loadability::verdicts loadability::look(const std::string& framework) {
  verdicts found;
  const auto& all = languages_.all();
  const bool any = std::any_of(all.begin(), all.end(), [&](const auto& lang) {
    return std::any_of(lang->frameworks.begin(), lang->frameworks.end(),
                       [&](const auto& rule) { return rule.id == framework && !rule.cannot_load.empty(); });
  });
  if (!any) return found;
  std::unordered_map<std::string_view, std::vector<uint32_t>> importers;
  std::unordered_map<std::string_view, uint32_t> by_path;
  std::deque<uint32_t> queue;
  for (uint32_t i = 0; i < files_.size(); ++i) {
    const auto& file = files_[i].file;
    by_path.emplace(file.path, i);
    for (const auto& import : file.imports)
      if (!import.resolved.empty()) importers[import.resolved].push_back(i);
    const auto* lang = languages_.by_id(file.language);
    const auto* rule = lang == nullptr ? nullptr : frameworks_.obstacle(*lang, framework, file.path);
    if (rule == nullptr) continue;
    found[i] = {rule, i};
    queue.push_back(i);
  }
  while (!queue.empty()) {
    const auto next = queue.front();
    queue.pop_front();
    for (const auto importer : importers[files_[next].file.path])
      if (found.try_emplace(importer, found.at(next)).second) queue.push_back(importer);
  }
  return found;
}

}  // namespace cohort::planning
