// Names the targets. Each request starts with its shortest name; those that clash take the next longer one, until none
// clash. The result does not depend on the order of the requests.

#include "planning/prompts/target_names.hpp"

#include <algorithm>
#include <cctype>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <boost/algorithm/string/case_conv.hpp>

#include "base/digest.hpp"

namespace cohort::planning {

namespace {

struct path_parts {
  std::vector<std::string> folders;
  std::string stem;
  std::string extension;  ///< With dot.
};

/// A request whose name is being chosen. `level` counts how often it took a longer name.
struct naming {
  const languages::source_file* source = nullptr;
  const languages::prompt_language* language = nullptr;
  const languages::target_rule* rule = nullptr;
  path_parts parts;
  size_t level = 0;
  std::string target;
  std::string key;
};

path_parts split_path(std::string_view path) {
  path_parts parts;
  while (true) {
    const auto slash = path.find('/');
    if (slash == std::string_view::npos) break;
    if (slash > 0) parts.folders.emplace_back(path.substr(0, slash));
    path.remove_prefix(slash + 1);
  }
  const auto dot = path.rfind('.');
  const bool has_extension = dot != std::string_view::npos && dot > 0;
  parts.stem = path.substr(0, has_extension ? dot : path.size());
  parts.extension = has_extension ? path.substr(dot) : "";
  return parts;
}

/// `text` with characters replaced that a file name should not have.
std::string clean_name(std::string_view text, bool identifier) {
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x80 || std::isalnum(byte) || c == '_';  // Identifiers may have letters beyond ASCII.
    const bool fine =
        identifier ? plain : byte >= 0x20 && byte != 0x7F && c != '\\' && c != ':' && c != '"' && c != '*';
    result += fine ? c : '_';
  }
  return result;
}

/// The folder's name, changed if the framework would not look for tests in it: if it is hidden, or one that is skipped.
std::string collected_folder(const std::string& folder, const languages::target_rule& rule) {
  auto result = clean_name(folder, false);
  if (result.front() == '.') result = "dot_" + result.substr(1);
  const auto& avoided = rule.uncollected_folders;
  return std::find(avoided.begin(), avoided.end(), result) == avoided.end() ? result : result + "_";
}

std::string test_extension(const naming& item) {
  const auto modules = item.source->modules;
  const auto* system = modules == languages::module_system::esm        ? "esm"
                       : modules == languages::module_system::commonjs ? "commonjs"
                                                                       : "";
  const auto& source = item.parts.extension;
  // A JSX or TypeScript ending says how the file is compiled; only plain script endings are replaced by those of the
  // module system.
  const bool plain = source == ".js" || source == ".mjs" || source == ".cjs" || source == ".jsx";
  if (const auto found = item.rule->extension_by_modules.find(system);
      plain && found != item.rule->extension_by_modules.end())
    return found->second;
  const auto found = item.rule->extensions.find(source);
  return found == item.rule->extensions.end() ? source : found->second;
}

/// "__init__" means nothing in a test's name, so the name of its package is used.
std::string telling_stem(const path_parts& parts) {
  if (parts.stem.size() < 5 || !parts.stem.starts_with("__") || !parts.stem.ends_with("__")) return parts.stem;
  const auto inner = parts.stem.substr(2, parts.stem.size() - 4);
  return parts.folders.empty() ? inner : parts.folders.back() + "_" + inner;
}

std::string joined_folders(const path_parts& parts, size_t count) {
  std::string result;
  for (size_t i = parts.folders.size() - std::min(count, parts.folders.size()); i < parts.folders.size(); ++i)
    result += parts.folders[i] + "_";
  return result;
}

/// The stem at the item's level: plain; longer by folders or by the extension; at last with a digest.
std::string stem_at_level(const naming& item) {
  const auto& parts = item.parts;
  const auto stem = telling_stem(parts);
  const size_t folders = item.rule->flat ? parts.folders.size() : item.rule->unique_names ? item.level : 0;
  const size_t last = item.rule->unique_names && !item.rule->flat ? parts.folders.size() : 1;
  auto result = item.rule->flat || item.rule->unique_names ? joined_folders(parts, folders) + stem
                : item.level == 0                          ? stem
                                                           : stem + parts.extension;
  if (item.level > last) result += "_" + to_hex(sha256(item.source->path)).substr(0, 8);
  return result;
}

void name_at_level(naming& item) {
  const auto stem = clean_name(stem_at_level(item), item.rule->identifier_names);
  auto name = item.rule->name;
  name.replace(name.find("{stem}"), 6, stem);
  name += test_extension(item);
  std::string folder;
  if (!item.rule->flat)
    for (const auto& part : item.parts.folders) folder += collected_folder(part, *item.rule) + "/";
  if (item.rule->own_folder) folder += collected_folder(stem, *item.rule) + "/";
  item.target = folder + name;
  // If each test has a folder of its own, the folders must differ, not the names.
  item.key = item.rule->unique_names ? fmt::format("{}:{}", item.language->id, boost::to_lower_copy(name))
                                     : boost::to_lower_copy(item.target);
}

/// Keys that several requests share, or that are used already. Names of one language cannot clash with another's: they
/// differ in extension, or their keys hold the whole path.
std::vector<naming*> clashing(std::vector<naming>& items, const std::unordered_set<std::string>& taken) {
  std::unordered_map<std::string_view, std::vector<naming*>> by_key;
  for (auto& item : items) by_key[item.key].push_back(&item);
  std::vector<naming*> result;
  for (auto& [key, group] : by_key)
    if (group.size() > 1 || taken.contains(std::string{key})) result.insert(result.end(), group.begin(), group.end());
  return result;
}

std::unordered_set<std::string> taken_names(std::span<const std::string> existing_tests,
                                            const std::vector<naming>& items) {
  std::unordered_set<std::string> languages;
  for (const auto& item : items)
    if (item.rule->unique_names) languages.insert(item.language->id);
  std::unordered_set<std::string> taken;
  for (const auto& path : existing_tests) {
    const auto name = boost::to_lower_copy(path.substr(path.rfind('/') + 1));
    for (const auto& id : languages) taken.insert(fmt::format("{}:{}", id, name));
  }
  return taken;
}

size_t last_level(const naming& item) { return item.parts.folders.size() + 2; }

}  // namespace

target_map name_targets(std::span<const target_request> requests, std::span<const std::string> existing_tests,
                        const languages::prompt_texts& texts) {
  std::vector<naming> items;
  for (const auto& request : requests) {
    const auto* language = texts.language(request.source->language);
    if (language == nullptr) continue;
    items.push_back({request.source, language, &language->target_for(request.framework),
                     split_path(request.source->path), 0, "", ""});
    name_at_level(items.back());
  }
  const auto taken = taken_names(existing_tests, items);
  for (bool moved = true; moved;) {
    moved = false;
    for (auto* item : clashing(items, taken)) {
      if (item->level >= last_level(*item)) continue;  // Its name holds a digest of its path: unique but for SHA-256.
      ++item->level;
      name_at_level(*item);
      moved = true;
    }
  }
  target_map result;
  for (auto& item : items) result.emplace(item.source->path, std::move(item.target));
  return result;
}

}  // namespace cohort::planning
