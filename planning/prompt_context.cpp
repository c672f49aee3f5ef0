// Where several tests qualify, the first by path is taken, so that the same project gives the same prompts.

#include "planning/prompt_context.hpp"

#include <algorithm>
#include <vector>

#include "base/files.hpp"
#include "base/text.hpp"
#include "planning/path_names.hpp"
#include "planning/prompt.hpp"

namespace cohort {

namespace {

std::string key_of(std::string_view language, std::string_view path) {
  return std::string{language} + '\n' + std::string{path};
}

/// What `import` takes from `file`: the named symbols, or all public ones.
std::vector<symbol> imported_from(const source_file& file, const import_ref& import) {
  std::vector<symbol> result;
  for (const auto& one : file.symbols)
    if (std::find(import.names.begin(), import.names.end(), one.name) != import.names.end()) result.push_back(one);
  if (!result.empty()) return result;
  for (const auto& one : file.symbols)
    if (one.is_public) result.push_back(one);
  return result;
}

}  // namespace

prompt_context::prompt_context(std::filesystem::path project, std::span<const source_file> files)
    : project_(std::move(project)) {
  std::vector<const source_file*> tests;
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
      by_folder_.emplace(key_of(test->language, folder_of(import.resolved)), test);
    }
    if (tests_something) by_language_.emplace(test->language, test);
  }
}

const source_file* prompt_context::test_near(const source_file& source) const {
  if (const auto found = by_import_.find(key_of(source.language, source.path)); found != by_import_.end())
    return found->second;
  if (const auto found = by_folder_.find(key_of(source.language, folder_of(source.path))); found != by_folder_.end())
    return found->second;
  const auto found = by_language_.find(source.language);
  return found == by_language_.end() ? nullptr : found->second;
}

style_example prompt_context::example_for(const source_file& source, uint64_t limit) {
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

std::string prompt_context::dependencies_of(const source_file& source, const prompt_language& language,
                                            uint64_t limit) const {
  std::string result;
  std::vector<std::string_view> seen;
  for (const auto& import : source.imports) {
    if (import.resolved.empty() || import.resolved == source.path) continue;
    const auto found = by_path_.find(import.resolved);
    if (found == by_path_.end() || std::find(seen.begin(), seen.end(), import.resolved) != seen.end()) continue;
    seen.push_back(import.resolved);
    auto merged = import;
    for (const auto& other : source.imports)
      if (other.resolved == import.resolved)
        merged.names.insert(merged.names.end(), other.names.begin(), other.names.end());
    const auto text = to_valid_utf8(signatures_of(import.resolved, imported_from(*found->second, merged), language));
    if (result.size() + text.size() <= limit) result += text;
  }
  return result;
}

}  // namespace cohort
