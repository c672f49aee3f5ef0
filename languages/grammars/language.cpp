// Loads the language descriptions and checks them.

#include "languages/grammars/language.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/config_reader.hpp"
#include "base/digest.hpp"
#include "base/files.hpp"
#include "base/line_pattern.hpp"
#include "base/text.hpp"
#include "languages/grammars/compiled_grammars.hpp"
#include "languages/grammars/grammar_compiler.hpp"
#include "languages/grammars/locals.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::languages {

namespace fs = std::filesystem;

namespace {

const TSLanguage* compiled_grammar(std::string_view symbol) noexcept {
  for (const auto& entry : compiled_grammars())
    if (entry.symbol == symbol) return entry.language();
  return nullptr;
}

/// Null, with a reported mistake, if `pattern` is not a pattern.
std::shared_ptr<const line_pattern> compiled_pattern(const config_reader& where, const std::string& pattern) {
  auto compiled = line_pattern::compile(pattern);
  if (compiled) return std::make_shared<const line_pattern>(std::move(*compiled));
  where.report(compiled.error().message);
  return nullptr;
}

void read_grammars(const config_reader& top, language& lang) {
  grammar_names names;
  for (const auto& one : top.at("grammars").items()) {
    one.read_elsewhere({"package", "source"});  // By the build.
    const auto symbol = one.text("symbol");
    const auto* grammar = compiled_grammar(symbol);
    if (grammar == nullptr) {
      one.report(
          fmt::format("the grammar '{}' is not compiled in; build again after adding a language", printable(symbol)));
      return;
    }
    if (const auto abi = ts_language_version(grammar);
        abi > TREE_SITTER_LANGUAGE_VERSION || abi < TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION) {
      one.report(fmt::format(
          "the grammar '{}' has ABI {}; this program reads {} to {}: install another version of its package",
          printable(symbol), abi, TREE_SITTER_MIN_COMPATIBLE_LANGUAGE_VERSION, TREE_SITTER_LANGUAGE_VERSION));
      return;
    }
    auto extensions = one.texts("extensions");
    for (const auto& extension : extensions)
      if (extension.size() < 2 || extension.front() != '.') one.report("an extension starts with a dot");
    lang.extensions.insert(lang.extensions.end(), extensions.begin(), extensions.end());
    lang.rules.push_back(compile_syntax(grammar, top.at("syntax"), std::move(extensions), names));
  }
  if (lang.rules.empty()) top.report("at least one grammar is needed");
  for (const auto& kind : names.used_kinds)
    if (!names.known_kinds.contains(kind))
      top.at("syntax").report(fmt::format("no grammar of this language has the node kind '{}'", printable(kind)));
  for (const auto& field : names.used_fields)
    if (!names.known_fields.contains(field))
      top.at("syntax").report(fmt::format("no grammar of this language has the field '{}'", printable(field)));
}

package_rules read_packages(const config_reader& described) {
  return {described.text("file"),        described.text("name"),     described.text("exports"),
          described.texts("conditions"), described.texts("entries"), described.texts("workspaces"),
          described.texts("sources")};
}

path_map_rules read_path_maps(const config_reader& described) {
  return {described.texts("files"), described.text("extends"), described.text("base"), described.text("paths")};
}

void read_modules(const config_reader& described, module_rules& rules) {
  const auto style = described.text("style");
  if (style == "dotted")
    rules.style = module_style::dotted;
  else if (style == "relative")
    rules.style = module_style::relative;
  else if (style == "package")
    rules.style = module_style::package;
  else
    described.report(fmt::format("unknown style '{}'; known are dotted, relative, package", printable(style)));
  rules.extensions = described.texts("extensions");
  rules.index = described.texts_or_none("index");
  rules.roots = described.texts_or_none("roots");
  rules.prefixes = described.texts_or_none("prefixes");
  rules.same_folder_is_visible = described.flag_or("same_folder_is_visible", false);
  if (described.has("stand_ins"))
    for (const auto& [written, on_disk] : described.at("stand_ins").members()) {
      std::vector<std::string> extensions;
      for (const auto& extension : on_disk.items()) extensions.push_back(extension.as_text());
      rules.stand_ins.emplace_back(written, std::move(extensions));
    }
  if (described.has("packages")) rules.packages = read_packages(described.at("packages"));
  if (described.has("path_maps")) rules.path_maps = read_path_maps(described.at("path_maps"));
  if (!described.has("manifest")) return;
  const auto manifest = described.at("manifest");
  rules.manifest = manifest.text("file");
  rules.manifest_line = compiled_pattern(manifest, manifest.text("line"));
}

std::vector<manifest_rule> read_manifests(const config_reader& described) {
  std::vector<manifest_rule> rules;
  for (const auto& manifest : described.items()) {
    rules.push_back({manifest.text("file"), manifest.text_or("key", ""), manifest.text_or("word", ""),
                     manifest.has("line") ? compiled_pattern(manifest, manifest.text("line")) : nullptr});
  }
  return rules;
}

std::vector<load_rule> read_load_rules(const config_reader& described) {
  std::vector<load_rule> rules;
  for (const auto& one : described.items()) {
    rules.push_back({one.texts("extensions"), one.text("reason"), {}, {}});
    if (one.has("if")) rules.back().only_if = read_manifests(one.at("if"));
    if (one.has("unless")) rules.back().unless = read_manifests(one.at("unless"));
  }
  return rules;
}

void read_frameworks(const config_reader& described, std::vector<framework_rule>& frameworks) {
  size_t fallbacks = 0;
  for (const auto& one : described.items()) {
    framework_rule framework;
    framework.id = one.text("id");
    framework.fallback = one.flag_or("fallback", false);
    fallbacks += framework.fallback ? 1 : 0;
    framework.manifests = read_manifests(one.at("manifests"));
    if (one.has("cannot_load")) framework.cannot_load = read_load_rules(one.at("cannot_load"));
    frameworks.push_back(std::move(framework));
  }
  if (fallbacks != 1) described.report("exactly one framework must have \"fallback\": true");
}

/// Without the file, answers in this language cannot be merged; nothing else uses the file.
expected<void> read_locals(const fs::path& file, language& lang) {
  if (std::error_code ignored; !fs::exists(file, ignored)) return {};
  const auto text = read_file(file, 1U << 20U);
  if (!text) return tl::unexpected{text.error()};
  lang.locals_file = file.string();
  for (const auto& rules : lang.rules) lang.locals.push_back(std::make_shared<locals_query>(rules->grammar, *text));
  return {};
}

std::unique_ptr<language> read_language(const std::string& id, const config_reader& top) {
  auto lang = std::make_unique<language>();
  lang->id = id;
  lang->name = top.text("name");
  read_grammars(top, *lang);
  lang->members_show_use = top.at("syntax").flag_or("members_show_use", false);
  lang->import_group = top.texts("import_group");
  const auto tests = top.at("tests");
  lang->tests.names = tests.texts("names");
  lang->tests.folders = tests.texts("folders");
  read_modules(top.at("modules"), lang->modules);
  read_frameworks(top.at("frameworks"), lang->frameworks);
  return lang;
}

expected<std::unique_ptr<const language>> load_language(const fs::path& file, std::string& fingerprint) {
  auto text = read_file(file, 1U << 20U);
  if (!text) return tl::unexpected{text.error()};
  fingerprint += *text;
  const auto document = config_document::parse(*text, file.string());
  if (!document) return tl::unexpected{document.error()};
  auto lang = read_language(file.parent_path().filename().string(), document->top());
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  if (const auto locals = read_locals(file.parent_path() / "locals.scm", *lang); !locals)
    return tl::unexpected{locals.error()};
  return lang;
}

/// Raised when a change of the code changes the results of parsing, so that older caches are not used.
constexpr std::string_view parser_version = "4";

}  // namespace

size_t language::grammar_for(std::string_view path_or_extension) const noexcept {
  const auto extension = extension_of(path_or_extension);
  for (size_t i = 0; i < rules.size(); ++i)
    if (std::find(rules[i]->extensions.begin(), rules[i]->extensions.end(), extension) != rules[i]->extensions.end())
      return i;
  return 0;
}

const grammar_rules& language::rules_for(std::string_view path_or_extension) const noexcept {
  return *rules[grammar_for(path_or_extension)];
}

const locals_query* language::locals_for(std::string_view path_or_extension) const noexcept {
  return locals.empty() ? nullptr : locals[grammar_for(path_or_extension)].get();
}

language_set::language_set(std::vector<std::unique_ptr<const language>> languages, std::string fingerprint)
    : languages_(std::move(languages)), fingerprint_(std::move(fingerprint)) {
  for (const auto& lang : languages_)
    for (const auto& extension : lang->extensions) by_extension_.emplace_back(extension, lang.get());
}

const language* language_set::by_id(std::string_view id) const noexcept {
  for (const auto& lang : languages_)
    if (lang->id == id) return lang.get();
  return nullptr;
}

const language* language_set::by_path(std::string_view path) const noexcept {
  const auto extension = extension_of(path);
  for (const auto& [known, lang] : by_extension_)
    if (known == extension) return lang;
  return nullptr;
}

expected<language_set> load_languages(const fs::path& config_dir) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{config_dir / "languages", failed})
    if (std::error_code ignored; fs::is_regular_file(entry.path() / "language.json", ignored))
      files.push_back(entry.path() / "language.json");
  if (failed) return tl::unexpected{system_error(failed.value(), "list", config_dir / "languages")};
  if (files.empty())
    return fail(ec::config_invalid, fmt::format("'{}' describes no language; is COHORT_CONFIG_DIR right?",
                                                printable((config_dir / "languages").string(), 1000)));
  std::sort(files.begin(), files.end());
  std::vector<std::unique_ptr<const language>> languages;
  std::string fingerprint{parser_version};
  for (const auto& file : files) {
    auto lang = load_language(file, fingerprint);
    if (!lang) return tl::unexpected{lang.error()};
    for (const auto& other : languages)
      for (const auto& extension : (*lang)->extensions)
        if (std::find(other->extensions.begin(), other->extensions.end(), extension) != other->extensions.end())
          return fail(ec::config_invalid, fmt::format("the languages '{}' and '{}' both claim the extension '{}'",
                                                      other->id, (*lang)->id, extension));
    languages.push_back(std::move(*lang));
  }
  return language_set{std::move(languages), to_hex(sha256(fingerprint))};
}

expected<void> compile_locals(const language_set& languages) {
  for (const auto& lang : languages.all())
    for (const auto& query : lang->locals)
      if (auto compiled = query->compile(); !compiled)
        return fail(ec::config_invalid,
                    fmt::format("'{}', {}", printable(lang->locals_file, 1000), compiled.error().message));
  return {};
}

}  // namespace cohort::languages
