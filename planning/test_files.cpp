// Naming conventions of tests.

#include "planning/test_files.hpp"

#include <algorithm>

namespace cohort {

namespace {

constexpr std::string_view hole = "{stem}";

/// The part of `name` that stands for `{stem}`; null data if the pattern does not fit.
std::string_view fit(std::string_view pattern, std::string_view name) noexcept {
  const auto at = pattern.find(hole);
  if (at == std::string_view::npos) return pattern == name ? name : std::string_view{};
  const auto before = pattern.substr(0, at);
  const auto after = pattern.substr(at + hole.size());
  if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after)) return {};
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

}  // namespace

std::string_view name_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view folder_of(std::string_view path) noexcept {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view stem_of(std::string_view path) noexcept {
  const auto name = name_of(path);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

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

}  // namespace cohort
