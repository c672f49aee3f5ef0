// Looks in the nearest folders first: the nearest folder whose manifests name a framework decides. Within a folder the
// order of the language's frameworks decides.

#include "planning/survey/framework_detection.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"
#include "base/line_pattern.hpp"
#include "base/text.hpp"
#include "languages/paths/glob.hpp"
#include "languages/paths/path_names.hpp"
#include "languages/syntax/signature.hpp"
#include "planning/survey/manifests.hpp"

namespace cohort::planning {

namespace fs = std::filesystem;

namespace {

constexpr size_t most_open_manifests = 4;

bool value_fits(const nlohmann::json& value, const std::string& word) {
  return word.empty() || (value.is_string() && languages::holds_word(value.get_ref<const std::string&>(), word));
}

/// `key` is a path of members; `*` stands for any member.
bool some_member_fits(const nlohmann::json& value, std::string_view key, const std::string& word) {
  if (key.empty()) return value_fits(value, word);
  if (!value.is_object()) return false;
  const auto dot = key.find('.');
  const auto first = key.substr(0, dot);
  const auto rest = dot == std::string_view::npos ? std::string_view{} : key.substr(dot + 1);
  if (first != "*") {
    const auto found = value.find(std::string{first});
    return found != value.end() && some_member_fits(*found, rest, word);
  }
  for (const auto& member : value)
    if (some_member_fits(member, rest, word)) return true;
  return false;
}

std::vector<fs::path> manifests_in(const fs::path& folder, const std::string& pattern) {
  std::error_code failed;
  if (pattern.find_first_of("*?[") == std::string::npos) {
    if (fs::is_regular_file(folder / pattern, failed)) return {folder / pattern};
    return {};
  }
  std::vector<fs::path> found;
  for (auto entry = fs::directory_iterator{folder, failed}; !failed && entry != fs::directory_iterator{};
       entry.increment(failed)) {
    std::error_code ignored;
    if (languages::glob_match(pattern, entry->path().filename().native()) && entry->is_regular_file(ignored))
      found.push_back(entry->path());
  }
  return found;
}

}  // namespace

framework_finder::framework_finder(fs::path project, fs::path work_tree) {
  std::error_code failed;
  project_ = fs::canonical(project, failed);
  if (failed) project_ = std::move(project);
  top_ = project_;
  if (!work_tree.empty() && !work_tree.lexically_relative(project_).empty()) top_ = std::move(work_tree);
}

const std::string& framework_finder::framework_of(const languages::language& lang, std::string_view path) {
  auto folder = project_ / languages::folder_of(path);
  if (!folder.has_filename()) folder = folder.parent_path();
  const auto key = std::pair{&lang, folder.string()};
  if (const auto known = by_folder_.find(key); known != by_folder_.end()) return *known->second;
  const std::string* chosen = nullptr;
  for (auto at = folder;; at = at.parent_path()) {
    chosen = named_in(lang, at);
    if (chosen != nullptr || at == top_ || at == at.parent_path()) break;
  }
  for (const auto& framework : lang.frameworks)
    if (chosen == nullptr && framework.fallback) chosen = &framework.id;
  by_folder_.emplace(key, chosen);
  return *chosen;
}

const languages::load_rule* framework_finder::obstacle(const languages::language& lang, const std::string& framework,
                                                       std::string_view path) {
  for (const auto& known : lang.frameworks) {
    if (known.id != framework) continue;
    for (const auto& rule : known.cannot_load) {
      const bool concerned = std::any_of(rule.extensions.begin(), rule.extensions.end(),
                                         [&](const auto& extension) { return path.ends_with(extension); });
      if (!concerned) continue;
      auto folder = project_ / languages::folder_of(path);
      if (!folder.has_filename()) folder = folder.parent_path();
      if (!rule.only_if.empty() && !some_hold(rule.only_if, folder)) continue;
      if (!some_hold(rule.unless, folder)) return &rule;
    }
  }
  return nullptr;
}

/// In `folder` or one above it.
bool framework_finder::some_hold(const std::vector<languages::manifest_rule>& rules, const fs::path& folder) {
  std::vector<std::pair<const std::vector<languages::manifest_rule>*, std::string>> asked;
  bool holds = false;
  for (auto at = folder; !holds; at = at.parent_path()) {
    const auto known = holding_.find({&rules, at.string()});
    if (known != holding_.end()) {
      holds = known->second;
      break;
    }
    asked.emplace_back(&rules, at.string());
    for (const auto& rule : rules)
      for (const auto& manifest : manifests_in(at, rule.file)) holds = holds || says(rule, manifest);
    if (at == top_ || at == at.parent_path()) break;
  }
  for (auto& one : asked) holding_.emplace(std::move(one), holds);
  return holds;
}

const std::string* framework_finder::named_in(const languages::language& lang, const fs::path& folder) {
  const auto key = std::pair{&lang, folder.string() + "/"};  // The folder's own answer.
  if (const auto known = by_folder_.find(key); known != by_folder_.end()) return known->second;
  const std::string* found = nullptr;
  for (const auto& framework : lang.frameworks) {
    for (const auto& rule : framework.manifests)
      for (const auto& manifest : manifests_in(folder, rule.file))
        if (found == nullptr && says(rule, manifest)) found = &framework.id;
    if (found != nullptr) break;
  }
  by_folder_.emplace(key, found);
  return found;
}

bool framework_finder::says(const languages::manifest_rule& rule, const fs::path& manifest) {
  if (rule.key.empty() && !rule.line) return true;  // The rule asks only whether the manifest exists.
  const auto key = std::pair{&rule, manifest.string()};
  if (const auto known = said_.find(key); known != said_.end()) return known->second;
  auto& opened = open(manifest);
  const bool fits =
      rule.line ? rule.line->fits(opened.text) : some_member_fits(document_in(opened), rule.key, rule.word);
  said_.emplace(key, fits);
  return fits;
}

/// Rules ask for the same manifest one after the other, so that only few need to be kept.
framework_finder::open_manifest& framework_finder::open(const fs::path& manifest) {
  const auto known =
      std::find_if(opened_.begin(), opened_.end(), [&](const auto& one) { return one.path == manifest.native(); });
  if (known != opened_.end()) return *known;
  if (opened_.size() == most_open_manifests) opened_.pop_front();
  auto text = read_file(manifest, largest_manifest);
  if (text) return opened_.emplace_back(open_manifest{manifest.string(), std::move(*text), {}});
  problems_.emplace(manifest.string(), text.error().message);
  return opened_.emplace_back(open_manifest{manifest.string(), {}, std::make_shared<const nlohmann::json>()});
}

const nlohmann::json& framework_finder::document_in(open_manifest& opened) {
  if (opened.document) return *opened.document;
  auto parsed = parse_manifest(opened.text);
  if (!parsed)
    problems_.emplace(opened.path, fmt::format("'{}' {}", printable(opened.path, 1000), parsed.error().message));
  opened.document = std::make_shared<const nlohmann::json>(parsed ? std::move(*parsed) : nlohmann::json::object());
  return *opened.document;
}

}  // namespace cohort::planning
