// Module resolution by the three styles that languages have.

#include "planning/modules.hpp"

#include <algorithm>
#include <regex>

#include "base/files.hpp"
#include "planning/path_names.hpp"
#include "planning/test_files.hpp"

namespace cohort {

namespace {

std::string joined(std::string_view folder, std::string_view rest) {
  if (folder.empty()) return std::string{rest};
  if (rest.empty()) return std::string{folder};
  return std::string{folder} + "/" + std::string{rest};
}

/// `folder` + "./a/../b"; empty if it leads out of the project, "." if it is the project itself.
std::string normalized(std::string_view folder, std::string_view path) {
  std::vector<std::string_view> parts;
  bool outside = false;
  const auto take = [&](std::string_view from) {
    for (size_t begin = 0; begin <= from.size();) {
      auto end = from.find('/', begin);
      if (end == std::string_view::npos) end = from.size();
      const auto part = from.substr(begin, end - begin);
      if (part == "..") {
        outside = outside || parts.empty();
        if (!parts.empty()) parts.pop_back();
      } else if (!part.empty() && part != ".") {
        parts.push_back(part);
      }
      begin = end + 1;
    }
  };
  take(folder);
  take(path);
  if (outside) return {};
  std::string result;
  for (const auto part : parts) result = joined(result, part);
  return result.empty() ? "." : result;
}

std::string with_slashes(std::string_view dotted) {
  std::string path{dotted};
  std::replace(path.begin(), path.end(), '.', '/');
  return path;
}

}  // namespace

module_resolver::module_resolver(std::filesystem::path project, const std::vector<parsed_file>& files)
    : project_(std::move(project)) {
  files_.reserve(files.size());
  for (const auto& one : files) {
    const std::string_view path = one.file.path;
    files_.insert(path);
    first_names_.insert(stem_of(path));
    folders_[folder_of(path)].push_back(path);
    for (auto folder = folder_of(path); !folder.empty(); folder = folder_of(folder))
      if (!first_names_.insert(name_of(folder)).second && folders_.contains(folder))
        break;
      else
        folders_.try_emplace(folder);
  }
}

const std::vector<std::string_view>& module_resolver::files_in(std::string_view folder) const {
  static const std::vector<std::string_view> none;
  const auto found = folders_.find(folder);
  return found == folders_.end() ? none : found->second;
}

bool module_resolver::is_package(const language& lang, std::string_view folder) const {
  return std::any_of(lang.modules.index.begin(), lang.modules.index.end(),
                     [&](const std::string& index) { return has(joined(folder, index)); });
}

std::string module_resolver::module_at(const language& lang, const std::string& path) const {
  for (const auto& index : lang.modules.index)
    if (auto candidate = joined(path, index); has(candidate)) return candidate;
  for (const auto& extension : lang.modules.extensions)
    if (auto candidate = path + extension; has(candidate)) return candidate;
  return {};
}

std::string module_resolver::below_roots(const language& lang, const std::string& importer, const std::string& path,
                                         std::string& folder) const {
  for (std::string_view at = folder_of(importer);; at = folder_of(at)) {
    if (lang.modules.style != module_style::dotted || !is_package(lang, at))  // a package's insides need its name
      for (const auto& root : lang.modules.roots) {
        const auto candidate = joined(joined(at, root), path);
        auto found = lang.modules.style == module_style::dotted ? module_at(lang, candidate)
                                                                : as_relative(lang, "", "./" + candidate);
        if (!found.empty() || folders_.contains(candidate)) {
          folder = candidate;
          return found;
        }
      }
    if (at.empty()) return {};
  }
}

std::string module_resolver::as_dotted(const language& lang, const std::string& importer, std::string_view module,
                                       std::string& folder) const {
  size_t dots = 0;
  while (dots < module.size() && module[dots] == '.') ++dots;
  const auto rest = with_slashes(module.substr(dots));
  if (dots == 0) {
    if (!first_names_.contains(std::string_view{rest}.substr(0, rest.find('/')))) return {};
    return below_roots(lang, importer, rest, folder);
  }
  auto base = folder_of(importer);
  for (size_t i = 1; i < dots; ++i) {
    if (base.empty()) return {};
    base = folder_of(base);
  }
  folder = joined(base, rest);
  return folder.empty() ? std::string{} : module_at(lang, folder);
}

std::string module_resolver::as_relative(const language& lang, const std::string& importer,
                                         std::string_view module) const {
  if (!module.starts_with("./") && !module.starts_with("../") && module != "." && module != "..") {
    for (const auto& prefix : lang.modules.prefixes)
      if (module.starts_with(prefix)) {
        std::string folder;
        return below_roots(lang, importer, std::string{module.substr(prefix.size())}, folder);
      }
    return {};
  }
  if (const auto query = module.find('?'); query != std::string_view::npos) module = module.substr(0, query);
  auto path = normalized(folder_of(importer), module);
  if (path.empty()) return {};
  if (path == ".") path.clear();
  if (has(path)) return path;
  for (const auto& [written, on_disk] : lang.modules.stand_ins) {
    if (!path.ends_with(written)) continue;
    const auto bare = path.substr(0, path.size() - written.size());
    for (const auto& extension : on_disk)
      if (has(bare + extension)) return bare + extension;
  }
  for (const auto& extension : lang.modules.extensions)
    if (!path.empty() && has(path + extension)) return path + extension;
  for (const auto& index : lang.modules.index)
    if (auto candidate = joined(path, index); has(candidate)) return candidate;
  return {};
}

std::string module_resolver::package_folder(const language& lang, const std::string& importer,
                                            std::string_view module) {
  for (std::string_view at = folder_of(importer);; at = folder_of(at)) {
    auto known = module_names_.find(at);
    if (known == module_names_.end()) {
      std::string name;
      const auto text = read_file(project_ / at / lang.modules.manifest, 1U << 20U);
      std::smatch fit;
      if (text && text->size() < 100'000) {
        for (size_t begin = 0; begin < text->size() && name.empty();) {
          auto end = text->find('\n', begin);
          if (end == std::string::npos) end = text->size();
          const auto line = text->substr(begin, std::min<size_t>(end - begin, 1000));
          if (std::regex_search(line, fit, std::regex{lang.modules.manifest_line}) && fit.size() > 1)
            name = fit[1].str();
          begin = end + 1;
        }
      }
      known = module_names_.emplace(std::string{at}, std::move(name)).first;
    }
    const auto& name = known->second;
    if (!name.empty() && module.starts_with(name) && (module.size() == name.size() || module[name.size()] == '/'))
      return joined(at, module.size() == name.size() ? "" : module.substr(name.size() + 1));
    if (!name.empty() || at.empty()) return "/";  // no folder of the project is called so
  }
}

void module_resolver::add_submodules(const language& lang, source_file& file, size_t index,
                                     const std::string& folder) const {
  const auto names = file.imports[index].names;
  const auto module = file.imports[index].module;
  for (const auto& name : names) {
    auto path = module_at(lang, joined(folder, name));
    if (path.empty() || path == file.path) continue;
    import_ref extra;
    extra.module = module;
    if (!module.ends_with('.')) extra.module += '.';
    extra.module += name;
    extra.resolved = std::move(path);
    file.imports.push_back(std::move(extra));
  }
}

void module_resolver::add_package(source_file& file, size_t index, const std::string& folder,
                                  const language& lang) const {
  for (const auto path : files_in(folder)) {
    if (path == file.path || is_test_path(lang, path)) continue;
    if (std::none_of(lang.modules.extensions.begin(), lang.modules.extensions.end(),
                     [&](const std::string& extension) { return path.ends_with(extension); }))
      continue;
    if (file.imports[index].resolved.empty()) {
      file.imports[index].resolved = std::string{path};
    } else {
      import_ref extra;
      extra.module = file.imports[index].module;
      extra.resolved = std::string{path};
      file.imports.push_back(std::move(extra));
    }
  }
}

void module_resolver::resolve(const language& lang, source_file& file) {
  const auto count = file.imports.size();
  for (size_t i = 0; i < count; ++i) {
    const auto module = file.imports[i].module;
    switch (lang.modules.style) {
      case module_style::dotted: {
        std::string folder;
        file.imports[i].resolved = as_dotted(lang, file.path, module, folder);
        if (file.imports[i].resolved == file.path) file.imports[i].resolved.clear();
        if (!folder.empty()) add_submodules(lang, file, i, folder);
        break;
      }
      case module_style::relative: file.imports[i].resolved = as_relative(lang, file.path, module); break;
      case module_style::package:
        if (const auto folder = package_folder(lang, file.path, module); folder != "/")
          add_package(file, i, folder, lang);
        break;
    }
  }
}

std::string module_resolver::import_root(const language& lang, std::string_view path) const {
  auto folder = folder_of(path);
  if (lang.modules.style != module_style::dotted) return std::string{folder};
  while (!folder.empty() && is_package(lang, folder)) folder = folder_of(folder);
  return std::string{folder};
}

}  // namespace cohort
