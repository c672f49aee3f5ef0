// Follows https://nodejs.org/api/packages.html. A package's exports name files that its build makes, which are no
// sources of the project. So the source is looked for under the same name in the folders where sources usually are.

#include "planning/survey/package_resolution.hpp"

#include <algorithm>

#include "languages/paths/glob.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr int deepest_condition = 8;
constexpr size_t most_exports = 5000;   ///< Of a package.
constexpr size_t most_files = 50;       ///< For one export.
constexpr size_t most_members = 1000;   ///< Globs of a workspace.
constexpr size_t longest_member = 500;  ///< In bytes, of one glob.
constexpr int most_tails = 16;          ///< Folders that a build may have put before a file's name.

/// All files that an export may mean, by the conditions in their order; `null` hides the export.
void collect(const languages::package_rules& rules, const nlohmann::json& value, std::vector<std::string>& into,
             int depth = 0) {
  if (depth > deepest_condition || into.size() >= most_files) return;
  if (value.is_string()) into.push_back(value.get<std::string>());
  if (value.is_array())
    for (const auto& one : value) collect(rules, one, into, depth + 1);
  if (value.is_object())
    for (const auto& condition : rules.conditions)
      if (const auto found = value.find(condition); found != value.end()) collect(rules, *found, into, depth + 1);
}

std::vector<name_mapping> read_exports(const languages::package_rules& rules, const nlohmann::json& exports) {
  std::vector<name_mapping> mappings;
  const auto add = [&](const std::string& pattern, const nlohmann::json& value) {
    mappings.push_back({pattern, {}});
    collect(rules, value, mappings.back().targets);
  };
  const bool by_subpath =
      exports.is_object() && std::any_of(exports.items().begin(), exports.items().end(),
                                         [](const auto& member) { return member.key().starts_with('.'); });
  if (!by_subpath) {
    add(".", exports);
    return mappings;
  }
  for (const auto& [pattern, value] : exports.items())
    if (mappings.size() < most_exports) add(pattern, value);
  return mappings;
}

/// "@shop/money/cents" -> "@shop/money".
std::string_view package_name(std::string_view module) noexcept {
  auto end = module.find('/');
  if (module.starts_with('@') && end != std::string_view::npos) end = module.find('/', end + 1);
  return module.substr(0, end);
}

std::string_view bare_name(std::string_view path) noexcept {
  path.remove_suffix(languages::extension_of(path).size());
  return path;
}

/// "dist/esm/cents.js" -> "src/dist/esm/cents", "src/esm/cents", "src/cents", ...: a build puts folders before the
/// name.
void add_sources(const languages::package_rules& rules, const std::string& folder, std::string_view target,
                 std::vector<std::string>& into) {
  for (int i = 0; i < most_tails; ++i) {
    for (const auto& source : rules.sources)
      for (const auto rest : {target, bare_name(target)})
        into.push_back(languages::joined_path(languages::joined_path(folder, source), rest));
    const auto slash = target.find('/');
    if (slash == std::string_view::npos) return;
    target.remove_prefix(slash + 1);
  }
}

}  // namespace

std::vector<std::string> package_finder::targets(const languages::package_rules& rules, std::string_view folder,
                                                 std::string_view module) {
  if (rules.file.empty() || module.empty()) return {};
  const auto name = package_name(module);
  const auto key = find(rules, folder, name);
  if (!key) return {};
  return targets_in(rules, *key, "." + std::string{module.substr(name.size())});
}

std::vector<std::string> package_finder::entry_targets(const languages::package_rules& rules,
                                                       const std::string& folder) {
  if (rules.file.empty() || !at(rules, folder).exists) return {};
  return targets_in(rules, folder, ".");
}

/// `subpath` is "." for the package itself, else "./cents".
std::vector<std::string> package_finder::targets_in(const languages::package_rules& rules, const std::string& folder,
                                                    const std::string& subpath) {
  const auto& here = at(rules, folder);
  const bool whole = subpath == ".";
  auto named = mapped(here.exports, subpath);
  if (whole)
    named.insert(named.end(), here.entries.begin(), here.entries.end());
  else
    named.push_back(subpath);
  std::vector<std::string> found;
  for (auto& target : named) {
    target = languages::normal_path("", target);  // Relative to the package, and never outside of it.
    if (!target.empty()) found.push_back(languages::joined_path(folder, target == "." ? "" : target));
  }
  for (const auto& target : named)
    if (!target.empty()) add_sources(rules, folder, target, found);
  if (whole)
    for (const auto& source : rules.sources) found.push_back(languages::joined_path(folder, source));
  return found;
}

std::optional<std::string> package_finder::find(const languages::package_rules& rules, std::string_view folder,
                                                std::string_view name) {
  for (auto key = folder;; key = languages::folder_of(key)) {
    const auto& here = at(rules, key);
    if (here.exists && here.name == name) return std::string{key};
    if (!here.members.empty()) {
      const auto& members = members_of(rules, key);
      if (const auto member = members.find(name); member != members.end()) return member->second;
    }
    if (key.empty()) return std::nullopt;
  }
}

const package_finder::package& package_finder::at(const languages::package_rules& rules, std::string_view folder) {
  const auto key = std::pair{&rules, std::string{folder}};
  if (const auto known = packages_.find(key); known != packages_.end()) return known->second;
  auto& here = packages_[key];
  const auto document = manifests_.read(languages::joined_path(folder, rules.file));
  here.exists = !document.empty();
  here.name = text_at(document, rules.name);
  if (const auto* exports = member_at(document, rules.exports)) here.exports = read_exports(rules, *exports);
  for (const auto& entry : rules.entries)
    if (auto target = text_at(document, entry); !target.empty()) here.entries.push_back(std::move(target));
  for (const auto& workspaces : rules.workspaces)
    if (const auto* globs = member_at(document, workspaces))
      for (auto& glob : texts_in(*globs, most_members))
        if (glob.size() <= longest_member) here.members.push_back(std::move(glob));
  return here;
}

const package_finder::folder_names& package_finder::members_of(const languages::package_rules& rules,
                                                               std::string_view folder) {
  const auto key = std::pair{&rules, std::string{folder}};
  if (const auto known = members_.find(key); known != members_.end()) return known->second;
  struct member_glob {
    bool takes_back;  ///< A later glob may exclude again: "!packages/old".
    std::string glob;
  };
  std::vector<member_glob> globs;
  for (std::string_view glob : at(rules, folder).members) {
    const bool takes_back = glob.starts_with('!');
    globs.push_back({takes_back, languages::normal_path(folder, glob.substr(takes_back ? 1 : 0))});
  }
  folder_names names;
  for (const auto candidate : folders_) {
    bool chosen = false;
    for (const auto& [takes_back, glob] : globs)
      if (chosen == takes_back && languages::glob_match(glob, candidate, steps_left_)) chosen = !takes_back;
    if (!chosen) continue;
    if (const auto& name = at(rules, candidate).name; !name.empty()) names.emplace(name, candidate);
  }
  if (steps_left_ == 0)
    manifests_.report(languages::joined_path(folder, rules.file),
                      "has too many or too costly globs for the folders of its "
                      "workspace; not all of its packages are known");
  return members_.emplace(key, std::move(names)).first->second;
}

}  // namespace cohort::planning
