// Writes import statements. Python: root folder and dotted module. ECMAScript: relative specifier with the ending that
// the project uses. Go: module path and package clause.

#include "planning/prompts/import_statements.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include <fmt/format.h>

#include "base/files.hpp"
#include "languages/paths/path_names.hpp"
#include "planning/survey/manifests.hpp"

namespace cohort::planning {

namespace fs = std::filesystem;

namespace {

constexpr size_t longest_import_line = 100;

std::string_view without_extension(std::string_view path) {
  path.remove_suffix(languages::extension_of(path).size());
  return path;
}

bool is_identifier(std::string_view text) {
  if (text.empty() || std::isdigit(static_cast<unsigned char>(text.front()))) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) || c == '_' || c == '$';
  });
}

/// A string literal that means the same in Python, JavaScript and Go.
std::string string_literal(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string joined(const std::vector<std::string>& items, std::string_view separator) {
  return fmt::format("{}", fmt::join(items, separator));
}

/// "from m import a, b", broken into lines if it is long.
std::string bracketed(const std::string& before, const std::vector<std::string>& names, char open, char close,
                      const std::string& after, bool always) {
  const auto pad = open == '{' ? " " : "";
  auto line = always ? fmt::format("{}{}{}{}{}{}{}", before, open, pad, joined(names, ", "), pad, close, after)
                     : fmt::format("{}{}{}", before, joined(names, ", "), after);
  if (line.size() <= longest_import_line) return line;
  return fmt::format("{}{}\n    {},\n{}{}", before, open, joined(names, ",\n    "), close, after);
}

std::vector<std::string> names_of(std::span<const languages::symbol> symbols) {
  std::vector<std::string> names;
  std::set<std::string_view> known;
  for (const auto& one : symbols)
    if (!one.is_default_export && known.insert(one.name).second) names.push_back(one.name);
  return names;
}

/// Root folder of an absolute Python import, from the file that it resolved to; npos-like "-" if it does not fit.
std::string root_behind(const languages::import_ref& import) {
  auto path = import.module;
  std::replace(path.begin(), path.end(), '.', '/');
  auto resolved = import.resolved;
  if (languages::name_of(resolved) == "__init__.py")
    resolved = std::string{languages::folder_of(resolved)};
  else
    resolved = without_extension(resolved);
  for (const auto& tail : {path, path + "/" + std::string{languages::name_of(resolved)}}) {
    if (resolved == tail) return "";
    if (resolved.ends_with("/" + tail)) return resolved.substr(0, resolved.size() - tail.size() - 1);
  }
  return "-";
}

bool below(std::string_view path, std::string_view folder) {
  return folder.empty() || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

std::string dotted(std::string_view path, std::string_view root) {
  std::string module{without_extension(root.empty() ? path : path.substr(root.size() + 1))};
  if (languages::name_of(module) == "__init__" && module.find('/') != std::string::npos)
    module = std::string{languages::folder_of(module)};
  std::replace(module.begin(), module.end(), '/', '.');
  return module;
}

bool is_reserved(std::string_view name, const languages::prompt_language& language) {
  return std::find(language.reserved.begin(), language.reserved.end(), name) != language.reserved.end();
}

bool importable_name(std::string_view module, const languages::prompt_language& language) {
  while (true) {
    const auto dot = module.find('.');
    const auto name = module.substr(0, dot);
    if (!is_identifier(name) || is_reserved(name, language)) return false;
    if (dot == std::string_view::npos) return true;
    module.remove_prefix(dot + 1);
  }
}

/// The word after `keyword` on the first line that begins with `keyword`.
std::string word_after(std::string_view text, std::string_view keyword) {
  for (size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    if (!line.starts_with(keyword)) continue;
    line.remove_prefix(keyword.size());
    return std::string{line.substr(0, std::min(line.find_first_of(" \t\r;"), line.size()))};
  }
  return {};
}

/// A name for an export that has none: "price-list.js" -> "priceList".
std::string camel_case(std::string_view stem) {
  std::string result;
  bool upper = false;
  for (const char c : stem) {
    const auto byte = static_cast<unsigned char>(c);
    if (!std::isalnum(byte) && c != '_') {
      upper = !result.empty();
      continue;
    }
    result += upper ? static_cast<char>(std::toupper(byte)) : c;
    upper = false;
  }
  return is_identifier(result) ? result : "unit_" + result;
}

/// The local name in a test for an exported `name`: the same, if the language allows it. "a-b" becomes aB.
std::string local_name(const std::string& name, const languages::prompt_language& language) {
  if (!is_identifier(name)) return local_name(camel_case(name), language);
  return is_reserved(name, language) ? name + '_' : name;
}

/// "cart", "function as function_", "\"a-b\" as aB"; no local name twice.
std::vector<std::string> with_local_names(std::vector<std::string> names, std::string_view as,
                                          const languages::prompt_language& language) {
  std::set<std::string> taken{names.begin(), names.end()};
  for (auto& name : names) {
    auto local = local_name(name, language);
    if (local == name) continue;
    while (!taken.insert(local).second) local += '_';
    name = fmt::format("{}{}{}", is_identifier(name) ? name : string_literal(name), as, local);
  }
  return names;
}

}  // namespace

import_writer::import_writer(const fs::path& project, std::span<const languages::source_file> files,
                             const languages::language_set& languages)
    : project_(fs::absolute(project).lexically_normal()), languages_(languages) {
  for (const auto& file : files) {
    const bool typescript = languages::extension_of(file.path).find("ts") != std::string_view::npos;
    for (const auto& import : file.imports) {
      if (import.resolved.empty()) continue;
      if (const auto* lang = languages_.by_id(file.language);
          lang != nullptr && lang->modules.style == languages::module_style::dotted) {
        if (import.module.starts_with('.')) continue;
        if (auto root = root_behind(import); root != "-") python_roots_.emplace(import.resolved, std::move(root));
      } else if (typescript && import.module.starts_with('.')) {
        const auto ending = languages::extension_of(import.module);
        if (ending == ".js" || ending == ".mjs" || ending == ".cjs" || ending == ".jsx")
          ++with_js_ending_;
        else if (ending == ".ts" || ending == ".mts" || ending == ".cts" || ending == ".tsx")
          ++with_ts_ending_;
        else
          ++without_ending_;
      }
    }
  }
}

expected<std::string> import_writer::import_text(const import_request& request,
                                                 const languages::prompt_language& language) {
  if (request.symbols.empty())
    return fail(ec::not_importable, fmt::format("'{}' has nothing to import", request.source->path));
  switch (language.imports) {
    case languages::import_style::python: return python_text(request, language);
    case languages::import_style::es: return es_text(request, language);
    case languages::import_style::go: return go_text(request);
  }
  return fail(ec::config_invalid, "unknown import style");
}

bool import_writer::is_package(const std::string& folder) {
  const auto known = packages_.find(folder);
  if (known != packages_.end()) return known->second;
  std::error_code ignored;
  return packages_[folder] = fs::exists(project_ / folder / "__init__.py", ignored);
}

/// The folder above the outermost package. Without packages the root that the project's own imports use, else `src` or
/// another usual root, else the file's own folder, as for a script.
import_writer::python_location import_writer::place_of(const languages::source_file& source) {
  std::string root{languages::folder_of(source.path)};
  if (!root.empty() && is_package(root)) {
    while (!root.empty() && is_package(root)) root = std::string{languages::folder_of(root)};
    return {root, dotted(source.path, root)};
  }
  if (const auto found = python_roots_.find(source.path);
      found != python_roots_.end() && below(source.path, found->second))
    return {found->second, dotted(source.path, found->second)};
  for (const auto& import : source.imports) {
    const auto evidence = import.module.starts_with('.') || import.resolved.empty() ? "-" : root_behind(import);
    if (evidence != "-" && below(source.path, evidence)) return {evidence, dotted(source.path, evidence)};
  }
  if (const auto* lang = languages_.by_id(source.language); lang != nullptr)
    for (const auto& usual : lang->modules.roots)
      if (!usual.empty() && below(source.path, usual)) return {usual, dotted(source.path, usual)};
  return {root, dotted(source.path, root)};
}

std::string import_writer::relative_to_test(const import_request& request, std::string_view path) const {
  const auto folder = (project_ / request.test_file).lexically_normal().parent_path();
  auto relative = (project_ / fs::path{path}).lexically_normal().lexically_relative(folder).generic_string();
  while (relative.ends_with('/')) relative.pop_back();
  return relative;
}

expected<std::string> import_writer::python_text(const import_request& request,
                                                 const languages::prompt_language& language) {
  const auto location = place_of(*request.source);
  std::vector<std::string> roots{location.root};
  for (const auto& import : request.source->imports) {
    const auto root = import.module.starts_with('.') || import.resolved.empty() ? "-" : root_behind(import);
    if (root != "-" && std::find(roots.begin(), roots.end(), root) == roots.end()) roots.push_back(root);
  }
  const bool plain = importable_name(location.module, language);
  std::string text =
      plain ? "import sys\nfrom pathlib import Path\n\n" : "import importlib\nimport sys\nfrom pathlib import Path\n\n";
  // The path inserted last is searched first, so the unit's own root goes to the front.
  for (auto root = roots.rbegin(); root != roots.rend(); ++root) {
    auto path = relative_to_test(request, *root);
    size_t ups = 0;
    while (path == ".." || path.starts_with("../")) {
      ++ups;
      path.erase(0, std::min<size_t>(3, path.size()));
    }
    if (path == ".") path.clear();
    text += fmt::format("sys.path.insert(0, str(Path(__file__).resolve().parents[{}]{}))\n", ups,
                        path.empty() ? "" : " / " + string_literal(path));
  }
  const auto names = names_of(request.symbols);
  if (plain)
    return text + "\n" + bracketed(fmt::format("from {} import ", location.module), names, '(', ')', "", false);
  text += fmt::format("\n_unit = importlib.import_module({})", string_literal(location.module));
  for (const auto& name : names) text += fmt::format("\n{} = _unit.{}", name, name);
  return text;
}

/// JavaScript needs the file's name as it is. TypeScript follows what most of the project's own relative imports do;
/// Node's own runner resolves nothing and wants the real ending.
std::string import_writer::specifier(const import_request& request) const {
  auto relative = relative_to_test(request, request.source->path);
  if (!relative.starts_with("../")) relative = "./" + relative;
  const std::string ending{languages::extension_of(request.source->path)};
  const bool typescript = ending == ".ts" || ending == ".tsx" || ending == ".mts" || ending == ".cts";
  if (!typescript || request.framework == "node:test") return relative;
  const std::string bare{without_extension(relative)};
  if (ending == ".mts") return bare + ".mjs";
  if (ending == ".cts") return bare + ".cjs";
  if (with_ts_ending_ > with_js_ending_ && with_ts_ending_ > without_ending_) return relative;
  return with_js_ending_ > without_ending_ ? bare + ".js" : bare;
}

expected<std::string> import_writer::es_text(const import_request& request,
                                             const languages::prompt_language& language) const {
  const auto from = string_literal(specifier(request));
  auto names = names_of(request.symbols);
  std::string whole;
  for (const auto& one : request.symbols)
    if (one.is_default_export) whole = is_identifier(one.name) && one.name != "default" ? one.name : "";
  const bool has_default =
      std::any_of(request.symbols.begin(), request.symbols.end(), [](const auto& s) { return s.is_default_export; });
  const auto stem = without_extension(languages::name_of(request.source->path));
  if (whole.empty())
    whole = local_name(
        camel_case(stem == "index" ? languages::name_of(languages::folder_of(request.source->path)) : stem), language);
  // Also for a TypeScript module with `export =`: `import Cart = require()` is an error if the compiler writes ES
  // modules, and unknown to tools that only strip types. `require`, or the default of an ES import, works everywhere.
  if (request.source->modules != languages::module_system::commonjs) {
    const auto plain = names;
    names = with_local_names(std::move(names), " as ", language);
    std::set<std::string_view> types;
    for (const auto& one : request.symbols)
      if (one.kind == languages::symbol_kind::type) types.insert(one.name);
    for (size_t i = 0; i < names.size(); ++i)
      if (types.contains(plain[i])) names[i].insert(0, "type ");
    if (names.empty()) return fmt::format("import {} from {};", whole, from);
    return bracketed(has_default ? fmt::format("import {}, ", whole) : "import ", names, '{', '}',
                     fmt::format(" from {};", from), true);
  }
  const bool hides_module =
      std::any_of(names.begin(), names.end(), [&](const auto& name) { return local_name(name, language) == whole; });
  names = with_local_names(std::move(names), ": ", language);
  const auto& esm = language.esm_frameworks;
  const bool imported = std::find(esm.begin(), esm.end(), request.framework) != esm.end();
  if (!imported && !has_default)
    return bracketed("const ", names, '{', '}', fmt::format(" = require({});", from), true);
  auto text =
      imported ? fmt::format("import {} from {};", whole, from) : fmt::format("const {} = require({});", whole, from);
  if (hides_module) {
    // The module's object must not have the name of one of its members.
    const auto unit = whole + "Module";
    text =
        imported ? fmt::format("import {} from {};", unit, from) : fmt::format("const {} = require({});", unit, from);
    whole = unit;
  }
  if (!names.empty()) text += "\n" + bracketed("const ", names, '{', '}', fmt::format(" = {};", whole), true);
  return text;
}

/// The module name of the nearest go.mod in `folder` or above, and the folder of that go.mod.
import_writer::go_location import_writer::module_above(std::string folder) {
  for (;; folder = std::string{languages::folder_of(folder)}) {
    auto known = go_modules_.find(folder);
    if (known == go_modules_.end()) {
      const auto text = read_file(project_ / folder / "go.mod", largest_manifest);
      known = go_modules_.emplace(folder, text ? word_after(*text, "module ") : std::string{}).first;
    }
    if (!known->second.empty() || folder.empty()) return {folder, known->second};
  }
}

bool import_writer::test_is_below(const import_request& request, const std::string& folder) const {
  const auto tests = (project_ / request.test_file).lexically_normal().parent_path();
  const auto path = tests.lexically_relative((project_ / folder).lexically_normal());
  return !path.empty() && *path.begin() != "..";
}

expected<std::string> import_writer::go_text(const import_request& request) {
  const auto& path = request.source->path;
  const auto refuse = [&path](std::string_view why) {
    return fail(ec::not_importable, fmt::format("'{}' {}", path, why));
  };
  const auto package = word_after(request.text, "package ");
  if (package.empty()) return refuse("has no package clause");
  if (package == "main") return refuse("is in package main, which no other folder can import");
  const std::string folder{languages::folder_of(path)};
  const auto location = module_above(folder);
  if (location.module.empty()) return refuse("has no go.mod above it; add one");
  if (!test_is_below(request, location.folder))
    return refuse(
        fmt::format("belongs to the module in '{}'; choose a --tests-dir below that folder", location.folder));
  const auto rest = folder == location.folder ? std::string{}
                    : location.folder.empty() ? folder
                                              : folder.substr(location.folder.size() + 1);
  const auto padded = "/" + rest + "/";
  if (const auto internal = padded.rfind("/internal/"); internal != std::string::npos) {
    const auto owner =
        (fs::path{location.folder} / padded.substr(1, internal == 0 ? 0 : internal - 1)).generic_string();
    if (!test_is_below(request, owner))
      return refuse(fmt::format("is internal to '{}': a test elsewhere cannot import it", owner));
  }
  const auto import = rest.empty() ? location.module : location.module + "/" + rest;
  return fmt::format("package {}_test\n\nimport {}{}", package,
                     languages::name_of(import) == package ? "" : package + " ", string_literal(import));
}

}  // namespace cohort::planning
