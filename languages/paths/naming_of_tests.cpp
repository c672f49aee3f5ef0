// Matches file names against the naming conventions of tests.

#include "languages/paths/naming_of_tests.hpp"

#include <algorithm>

#include "languages/paths/path_names.hpp"

namespace cohort::languages {

namespace {

constexpr std::string_view hole = "{stem}";

/// The part of `name` that `{stem}` matches; null data if the pattern does not match.
std::string_view fit(std::string_view pattern, std::string_view name) noexcept {
  const auto at = pattern.find(hole);
  if (at == std::string_view::npos) return pattern == name ? name : std::string_view{};
  const auto before = pattern.substr(0, at);
  const auto after = pattern.substr(at + hole.size());
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return {};
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

}  // namespace

bool is_test_path(const language& lang, std::string_view path) {
  const auto name = name_of(path);
  for (const auto& pattern : lang.tests.names)
    if (!fit(pattern, name).empty()) return true;
  auto folder = folder_of(path);
  while (!folder.empty()) {
    const auto last = name_of(folder);
    if (std::find(lang.tests.folders.begin(), lang.tests.folders.end(), last) != lang.tests.folders.end()) return true;
    folder = folder_of(folder);
  }
  return false;
}

std::vector<std::string> tested_stems(const language& lang, std::string_view path) {
  std::vector<std::string> stems;
  for (const auto& pattern : lang.tests.names) {
    if (pattern.find(hole) == std::string::npos) continue;
    if (const auto stem = fit(pattern, name_of(path)); !stem.empty()) stems.emplace_back(stem);
  }
  return stems;
}

}  // namespace cohort::languages
