// Resolves modules by the three styles that languages have.

#include "planning/survey/module_resolution.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/line_pattern.hpp"
#include "languages/paths/naming_of_tests.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr uint64_t least_lookups = 20'000'000;     ///< Some seconds.
constexpr uint64_t lookups_for_each_file = 5'000;  ///< Projects that people write take hundreds.

std::string with_slashes(std::string_view dotted) {
  std::string path{dotted};
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

}  // namespace

module_resolver::module_resolver(std::filesystem::path project, const std::vector<languages::parsed_file>& files)
    : project_(std::move(project)), manifests_(project_), paths_(manifests_) {
  lookups_left_ = least_lookups + lookups_for_each_file * files.size();
  files_.reserve(files.size());
  for (const auto& one : files) {
    const std::string_view path = one.file.path;
    files_.insert(path);
    first_names_.insert(languages::stem_of(path));
    for (auto folder = languages::folder_of(path); !folder.empty() && folders_.try_emplace(folder).second;
         folder = languages::folder_of(folder))
      first_names_.insert(languages::name_of(folder));
    folders_[languages::folder_of(path)].push_back(path);
  }
  std::vector<std::string_view> folders;
  folders.reserve(folders_.size());
  for (const auto& [folder, inside] : folders_) folders.push_back(folder);
  std::sort(folders.begin(), folders.end());
  packages_.emplace(manifests_, std::move(folders));
}

const std::vector<std::string_view>& module_resolver::files_in(std::string_view folder) const {
  static const std::vector<std::string_view> none;
  const auto found = folders_.find(folder);
  return found == folders_.end() ? none : found->second;
}

bool module_resolver::spend(uint64_t lookups) const noexcept {
  const bool enough = lookups_left_ >= lookups;
  lookups_left_ = enough ? lookups_left_ - lookups : 0;
  return enough;
}

bool module_resolver::has(std::string_view path) const { return spend(1 + path.size() / 256) && files_.contains(path); }

bool module_resolver::is_package(const languages::language& lang, std::string_view folder) const {
  return std::any_of(lang.modules.index.begin(), lang.modules.index.end(),
                     [&](const std::string& index) { return has(languages::joined_path(folder, index)); });
}

std::string module_resolver::module_at(const languages::language& lang, const std::string& path) const {
  for (const auto& index : lang.modules.index)
    if (auto candidate = languages::joined_path(path, index); has(candidate)) return candidate;
  for (const auto& extension : lang.modules.extensions)
    if (auto candidate = path + extension; has(candidate)) return candidate;
  return {};
}

std::string module_resolver::below_roots(const languages::language& lang, const std::string& importer,
                                         const std::string& path, std::string& folder) {
  for (std::string_view at = languages::folder_of(importer);; at = languages::folder_of(at)) {
    if (lang.modules.style != languages::module_style::dotted ||
        !is_package(lang, at))  // Files inside a package can be imported only with its name.
      for (const auto& root : lang.modules.roots) {
        const auto candidate = languages::joined_path(languages::joined_path(at, root), path);
        auto found = lang.modules.style == languages::module_style::dotted ? module_at(lang, candidate)
                                                                           : path_at(lang, candidate);
        if (!found.empty() || folders_.contains(candidate)) {
          folder = candidate;
          return found;
        }
      }
    if (at.empty()) return {};
  }
}

std::string module_resolver::as_dotted(const languages::language& lang, const std::string& importer,
                                       std::string_view module, std::string& folder) {
  size_t dots = 0;
  while (dots < module.size() && module[dots] == '.') ++dots;
  const auto rest = with_slashes(module.substr(dots));
  if (dots == 0) {
    if (!first_names_.contains(std::string_view{rest}.substr(0, rest.find('/')))) return {};
    return below_roots(lang, importer, rest, folder);
  }
  auto base = languages::folder_of(importer);
  for (size_t i = 1; i < dots; ++i) {
    if (base.empty()) return {};
    base = languages::folder_of(base);
  }
  folder = languages::joined_path(base, rest);
  return folder.empty() ? std::string{} : module_at(lang, folder);
}

/// The file as named, or with an extension that was left out or stands for another.
std::string module_resolver::file_at(const languages::language& lang, const std::string& path) const {
  if (path.empty()) return {};
  if (has(path)) return path;
  for (const auto& [written, on_disk] : lang.modules.stand_ins) {
    if (!path.ends_with(written)) continue;
    const auto bare = path.substr(0, path.size() - written.size());
    for (const auto& extension : on_disk)
      if (has(bare + extension)) return bare + extension;
  }
  for (const auto& extension : lang.modules.extensions)
    if (has(path + extension)) return path + extension;
  return {};
}

std::string module_resolver::index_of(const languages::language& lang, const std::string& folder) const {
  for (const auto& index : lang.modules.index)
    if (auto candidate = languages::joined_path(folder, index); has(candidate)) return candidate;
  return {};
}

std::string module_resolver::first_of(const languages::language& lang, const std::vector<std::string>& targets) const {
  for (const auto& target : targets) {
    const auto path = target == "." ? std::string{} : target;
    if (auto found = file_at(lang, path); !found.empty()) return found;
    if (auto found = index_of(lang, path); !found.empty()) return found;
  }
  return {};
}

/// Looks as Node does: for a file, then for what the folder's own manifest names, then for the folder's index.
std::string module_resolver::path_at(const languages::language& lang, const std::string& path) {
  if (auto found = file_at(lang, path); !found.empty()) return found;
  if (path.empty() || folders_.contains(path))
    if (auto found = first_of(lang, packages_->entry_targets(lang.modules.packages, path)); !found.empty())
      return found;
  return index_of(lang, path);
}

std::string module_resolver::as_relative(const languages::language& lang, const std::string& importer,
                                         std::string_view module) {
  if (const auto query = module.find('?'); query != std::string_view::npos) module = module.substr(0, query);
  if (!module.starts_with("./") && !module.starts_with("../") && module != "." && module != "..")
    return as_name(lang, importer, module);
  const auto path = languages::normal_path(languages::folder_of(importer), module);
  if (path.empty()) return {};
  return path_at(lang, path == "." ? std::string{} : path);
}

/// The answer is the same for all files of a folder.
std::string module_resolver::as_name(const languages::language& lang, const std::string& importer,
                                     std::string_view module) {
  const auto folder = languages::folder_of(importer);
  auto key = fmt::format("{}\n{}\n{}", lang.id, folder, module);
  if (const auto known = names_.find(key); known != names_.end()) return known->second;
  auto found = first_of(lang, paths_.targets(lang.modules.path_maps, folder, module));
  for (const auto& prefix : lang.modules.prefixes)
    if (found.empty() && module.starts_with(prefix)) {
      const auto path = languages::normal_path("", module.substr(prefix.size()));
      std::string below;
      if (!path.empty()) found = below_roots(lang, importer, path == "." ? std::string{} : path, below);
    }
  if (found.empty()) found = first_of(lang, packages_->targets(lang.modules.packages, folder, module));
  return names_.emplace(std::move(key), std::move(found)).first->second;
}

const std::string& module_resolver::module_name(const languages::language& lang, std::string_view folder) {
  if (const auto known = module_names_.find(folder); known != module_names_.end()) return known->second;
  std::string name;
  if (lang.modules.manifest_line) {
    const auto path = languages::joined_path(folder, lang.modules.manifest);
    const auto text = read_file(project_ / path, largest_manifest);
    if (text)
      name = lang.modules.manifest_line->first_group(*text);
    else if (text.error().code != ec::not_found)
      manifests_.report(path, fmt::format("cannot be read: {}", text.error().message));
  }
  return module_names_.emplace(std::string{folder}, std::move(name)).first->second;
}

std::string module_resolver::package_folder(const languages::language& lang, const std::string& importer,
                                            std::string_view module) {
  for (std::string_view at = languages::folder_of(importer);; at = languages::folder_of(at)) {
    const auto& name = module_name(lang, at);
    if (!name.empty() && module.starts_with(name) && (module.size() == name.size() || module[name.size()] == '/'))
      return languages::joined_path(at, module.size() == name.size() ? "" : module.substr(name.size() + 1));
    if (!name.empty() || at.empty()) return "/";  // No folder of the project can have this name.
  }
}

void module_resolver::add_submodules(const languages::language& lang, languages::source_file& file, size_t index,
                                     const std::string& folder) const {
  const auto names = file.imports[index].names;
  const auto module = file.imports[index].module;
  for (const auto& name : names) {
    auto path = module_at(lang, languages::joined_path(folder, name));
    if (path.empty() || path == file.path) continue;
    languages::import_ref extra;
    extra.module = module;
    if (!module.ends_with('.')) extra.module += '.';
    extra.module += name;
    extra.resolved = std::move(path);
    file.imports.push_back(std::move(extra));
  }
}

void module_resolver::add_package(languages::source_file& file, size_t index, const std::string& folder,
                                  const languages::language& lang) const {
  for (const auto path : files_in(folder)) {
    if (path == file.path || languages::is_test_path(lang, path)) continue;
    if (std::none_of(lang.modules.extensions.begin(), lang.modules.extensions.end(),
                     [&](const std::string& extension) { return path.ends_with(extension); }))
      continue;
    if (!spend(8 + file.imports[index].module.size() / 32)) return;
    if (file.imports[index].resolved.empty()) {
      file.imports[index].resolved = std::string{path};
    } else {
      languages::import_ref extra;
      extra.module = file.imports[index].module;
      extra.resolved = std::string{path};
      file.imports.push_back(std::move(extra));
    }
  }
}

void module_resolver::resolve(const languages::language& lang, languages::source_file& file) {
  const auto count = file.imports.size();
  std::unordered_set<std::string> packages;  // An import of a whole package becomes many entries; each is added once.
  for (size_t i = 0; i < count; ++i) {
    const auto module = file.imports[i].module;
    if (module.size() > languages::longest_path) continue;
    switch (lang.modules.style) {
      case languages::module_style::dotted: {
        std::string folder;
        file.imports[i].resolved = as_dotted(lang, file.path, module, folder);
        if (file.imports[i].resolved == file.path) file.imports[i].resolved.clear();
        if (!folder.empty()) add_submodules(lang, file, i, folder);
        break;
      }
      case languages::module_style::relative: file.imports[i].resolved = as_relative(lang, file.path, module); break;
      case languages::module_style::package:
        if (const auto folder = package_folder(lang, file.path, module);
            folder != "/" && packages.insert(folder).second)
          add_package(file, i, folder, lang);
        break;
    }
    if (lookups_left_ > 0) continue;
    if (!std::exchange(reported_lookups_, true))
      manifests_.report(file.path,
                        "has more imports than are followed in a project of this size; those behind are not");
    return;
  }
}

std::string module_resolver::import_root(const languages::language& lang, std::string_view path) const {
  auto folder = languages::folder_of(path);
  if (lang.modules.style != languages::module_style::dotted) return std::string{folder};
  while (!folder.empty() && is_package(lang, folder)) folder = languages::folder_of(folder);
  return std::string{folder};
}

}  // namespace cohort::planning
