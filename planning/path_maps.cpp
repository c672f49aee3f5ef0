// https://www.typescriptlang.org/tsconfig/#paths and #extends: a file's own settings replace those that it extends.

#include "planning/path_maps.hpp"

#include "planning/path_names.hpp"

namespace cohort {

namespace {

constexpr int longest_chain = 8;  ///< Of files that extend each other; ends a circle, too.

}  // namespace

std::vector<std::string> path_maps::targets(const path_map_rules& rules, std::string_view folder,
                                            std::string_view module) {
  if (rules.files.empty()) return {};
  const auto& map = nearest(rules, folder);
  auto found = mapped(map.mappings, module);
  if (map.has_base)
    if (auto path = normal_path(map.base, module); !path.empty()) found.push_back(std::move(path));
  return found;
}

/// One that says nothing about names leaves it to those above: the tests' own tsconfig.json often does.
const path_maps::path_map& path_maps::nearest(const path_map_rules& rules, std::string_view folder) {
  const auto key = std::pair{&rules, std::string{folder}};
  if (const auto known = nearest_.find(key); known != nearest_.end()) return known->second;
  path_map found;
  for (const auto& name : rules.files)
    if (found.empty()) found = read(rules, joined_path(folder, name), 0);
  if (found.empty() && !folder.empty()) found = nearest(rules, folder_of(folder));
  return nearest_.emplace(key, std::move(found)).first->second;
}

path_maps::path_map path_maps::read(const path_map_rules& rules, const std::string& file, int depth) {
  path_map map;
  const auto& document = manifests_.read(file);
  if (const auto* extended = member_at(document, rules.extends))
    for (auto& name : texts_in(*extended)) take_over(rules, file, std::move(name), depth, map);
  const std::string folder{folder_of(file)};
  if (const auto base = text_at(document, rules.base); !base.empty()) {
    map.base = normal_path(folder, base);
    map.has_base = !map.base.empty();  // Otherwise it lies outside of the project.
  }
  const auto* paths = member_at(document, rules.paths);
  if (paths == nullptr || !paths->is_object()) return map;
  map.mappings.clear();
  for (const auto& [pattern, targets] : paths->items()) {
    name_mapping mapping{pattern, {}};
    for (const auto& target : texts_in(targets))
      if (auto path = normal_path(map.has_base ? map.base : folder, target); !path.empty())
        mapping.targets.push_back(std::move(path));
    map.mappings.push_back(std::move(mapping));
  }
  return map;
}

/// Names of packages ("@tsconfig/node22") say nothing about this project's files.
void path_maps::take_over(const path_map_rules& rules, const std::string& file, std::string name, int depth,
                          path_map& into) {
  if (!name.starts_with('.') || depth >= longest_chain) return;
  if (!name.ends_with(".json")) name += ".json";
  const auto path = normal_path(folder_of(file), name);
  if (path.empty()) return;
  auto taken = read(rules, path, depth + 1);
  if (taken.has_base) {
    into.has_base = true;
    into.base = std::move(taken.base);
  }
  if (!taken.mappings.empty()) into.mappings = std::move(taken.mappings);
}

}  // namespace cohort
