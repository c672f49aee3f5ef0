// Chooses examples and dependencies. If several tests qualify, the first by path is taken, so that the same project
// gives the same prompts.

#include "planning/prompts/prompt_context.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "languages/paths/path_names.hpp"
#include "planning/prompts/prompt.hpp"

namespace cohort::planning {

namespace {

constexpr size_t most_dependencies = 100;  ///< Of one file; no prompt has room for so many.
constexpr size_t most_signatures = 500;    ///< Of one dependency.

std::string key_of(std::string_view language, std::string_view path) {
  return std::string{language} + '\n' + std::string{path};
}

/// What `import` takes from `file`: the named symbols, or all public ones.
std::vector<languages::symbol> imported_from(const languages::source_file& file, const languages::import_ref& import) {
  std::vector<languages::symbol> result;
  size_t signatures = 0;
  const auto take = [&](const languages::symbol& one) {
    if (signatures + 1 + one.members.size() > most_signatures) return;
    signatures += 1 + one.members.size();
    result.push_back(one);
  };
  const std::unordered_set<std::string_view> names{import.names.begin(), import.names.end()};
  for (const auto& one : file.symbols)
    if (names.contains(one.name)) take(one);
  if (!result.empty()) return result;
  for (const auto& one : file.symbols)
    if (one.is_public) take(one);
  return result;
}

}  // namespace

prompt_context::prompt_context(std::filesystem::path project, std::span<const languages::source_file> files)
    : project_(std::move(project)) {
  std::vector<const languages::source_file*> tests;
  for (const auto& file : files) {
    by_path_.emplace(file.path, &file);
    if (file.is_test && !file.has_errors && (!file.symbols.empty() || file.lines > 5)) tests.push_back(&file);
  }
  std::sort(tests.begin(), tests.end(), [](const auto* a, const auto* b) { return a->path < b->path; });
  for (const auto* test : tests) {
    bool tests_something = false;
    for (const auto& import : test->imports) {
      if (import.resolved.empty()) continue;
      tests_something = true;
      by_import_.emplace(key_of(test->language, import.resolved), test);
      by_folder_.emplace(key_of(test->language, languages::folder_of(import.resolved)), test);
    }
    if (tests_something) by_language_.emplace(test->language, test);
  }
}

const languages::source_file* prompt_context::test_near(const languages::source_file& source) const {
  if (const auto found = by_import_.find(key_of(source.language, source.path)); found != by_import_.end())
    return found->second;
  if (const auto found = by_folder_.find(key_of(source.language, languages::folder_of(source.path)));
      found != by_folder_.end())
    return found->second;
  const auto found = by_language_.find(source.language);
  return found == by_language_.end() ? nullptr : found->second;
}

style_example prompt_context::example_for(const languages::source_file& source, uint64_t limit) {
  const auto* test = test_near(source);
  if (test == nullptr) return {};
  auto known = texts_.find(test->path);
  if (known == texts_.end()) {
    const auto text = read_file(project_ / test->path, 1U << 20);
    const bool usable = text && is_utf8(*text) && is_utf8(test->path);
    known = texts_.emplace(test->path, usable ? std::string{first_lines(*text, limit)} : std::string{}).first;
  }
  if (known->second.empty()) return {};
  return {test->path, known->second};
}

std::string prompt_context::dependencies_of(const languages::source_file& source,
                                            const languages::prompt_language& language, uint64_t limit) const {
  std::string result;
  std::unordered_map<std::string_view, size_t> places;
  std::vector<languages::import_ref> wanted;  // One for each file.
  for (const auto& import : source.imports) {
    if (import.resolved.empty() || import.resolved == source.path || !by_path_.contains(import.resolved)) continue;
    const auto [place, first] = places.try_emplace(import.resolved, wanted.size());
    if (first && wanted.size() == most_dependencies) break;
    if (first)
      wanted.push_back(import);
    else
      wanted[place->second].names.insert(wanted[place->second].names.end(), import.names.begin(), import.names.end());
  }
  size_t written = 0;
  for (const auto& import : wanted) {
    if (written > 16 * limit) break;  // Little more fits, and the next dependency would not fit either.
    const auto& file = *by_path_.find(import.resolved)->second;
    const auto text = to_valid_utf8(signatures_of(import.resolved, imported_from(file, import), language));
    written += text.size();
    if (result.size() + text.size() <= limit) result += text;
  }
  return result;
}

}  // namespace cohort::planning
