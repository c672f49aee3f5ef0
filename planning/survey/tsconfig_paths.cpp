// Follows https://www.typescriptlang.org/tsconfig/#paths and #extends: a file's own settings replace those that it
// extends.

#include "planning/survey/tsconfig_paths.hpp"

#include <fmt/format.h>

#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr int longest_chain = 8;        ///< Of files that extend each other.
constexpr size_t most_extended = 16;    ///< By one file.
constexpr size_t most_mappings = 5000;  ///< In one file.
constexpr size_t most_targets = 50;     ///< Of one mapping.

}  // namespace

std::vector<std::string> path_maps::targets(const languages::path_map_rules& rules, std::string_view folder,
                                            std::string_view module) {
  if (rules.files.empty()) return {};
  const auto map = nearest(rules, folder);
  auto found = map->mappings ? mapped(*map->mappings, module) : std::vector<std::string>{};
  if (map->has_base)
    if (auto path = languages::normal_path(map->base, module); !path.empty()) found.push_back(std::move(path));
  return found;
}

/// A configuration without mappings is skipped in favour of those above it: the tests' own tsconfig.json often has
/// none.
path_maps::shared_map path_maps::nearest(const languages::path_map_rules& rules, std::string_view folder) {
  const auto key = std::pair{&rules, std::string{folder}};
  if (const auto known = nearest_.find(key); known != nearest_.end()) return known->second;
  auto found = std::make_shared<const path_map>();
  for (const auto& name : rules.files)
    if (found->empty()) found = read(rules, languages::joined_path(folder, name), 0);
  if (found->empty() && !folder.empty()) found = nearest(rules, languages::folder_of(folder));
  return nearest_.emplace(key, std::move(found)).first->second;
}

path_maps::shared_map path_maps::read(const languages::path_map_rules& rules, const std::string& file, int depth) {
  const auto [known, first] = read_.try_emplace({&rules, file});
  if (!first) return known->second ? known->second : std::make_shared<const path_map>();
  path_map map;
  const auto document = manifests_.read(file);
  if (const auto* extended = member_at(document, rules.extends))
    for (auto& name : texts_in(*extended, most_extended)) take_over(rules, file, std::move(name), depth, map);
  const std::string folder{languages::folder_of(file)};
  if (const auto base = text_at(document, rules.base); !base.empty()) {
    map.base = languages::normal_path(folder, base);
    map.has_base = !map.base.empty();  // Otherwise the folder is outside of the project.
  }
  if (const auto* paths = member_at(document, rules.paths); paths != nullptr && paths->is_object()) {
    auto mappings = read_mappings(file, *paths, map.has_base ? map.base : folder);
    map.mappings = mappings.empty() ? nullptr : std::make_shared<const std::vector<name_mapping>>(std::move(mappings));
  }
  return known->second = std::make_shared<const path_map>(std::move(map));
}

std::vector<name_mapping> path_maps::read_mappings(const std::string& file, const nlohmann::json& paths,
                                                   const std::string& base) {
  std::vector<name_mapping> mappings;
  for (const auto& [pattern, targets] : paths.items()) {
    if (mappings.size() == most_mappings) {
      manifests_.report(file, fmt::format("maps more than {} names; the others are not followed", most_mappings));
      break;
    }
    name_mapping mapping{pattern, {}};
    for (const auto& target : texts_in(targets, most_targets))
      if (auto path = languages::normal_path(base, target); !path.empty()) mapping.targets.push_back(std::move(path));
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

/// Packages ("@tsconfig/node22") do not concern this project's files.
void path_maps::take_over(const languages::path_map_rules& rules, const std::string& file, std::string name, int depth,
                          path_map& into) {
  if (!name.starts_with('.') || depth >= longest_chain) return;
  if (!name.ends_with(".json")) name += ".json";
  const auto path = languages::normal_path(languages::folder_of(file), name);
  if (path.empty()) return;
  const auto taken = read(rules, path, depth + 1);
  if (taken->has_base) {
    into.has_base = true;
    into.base = taken->base;
  }
  if (taken->mappings) into.mappings = taken->mappings;
}

}  // namespace cohort::planning
