// Reads prompts and conventions as data. `{{name}}` is replaced in system.md only; a text that is filled in is not
// searched again.

#include "languages/conventions/prompt_texts.hpp"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"

namespace cohort::languages {

namespace {

namespace fs = std::filesystem;

constexpr uint64_t text_limit = 1U << 20;

import_style style_in(const config_reader& read) {
  const auto name = read.text("import_style");
  if (name == "python") return import_style::python;
  if (name == "es") return import_style::es;
  if (name != "go") read.refuse("import_style", "must be one of python, es, go");
  return import_style::go;
}

/// Fields that are missing keep the value of `rule`.
void read_target(const config_reader& read, target_rule& rule) {
  rule.name = read.text_or("name", rule.name);
  rule.unique_names = read.flag_or("unique_names", rule.unique_names);
  rule.identifier_names = read.flag_or("identifier_names", rule.identifier_names);
  rule.flat = read.flag_or("flat", rule.flat);
  rule.own_folder = read.flag_or("own_folder", rule.own_folder);
  if (read.has("uncollected_folders")) rule.uncollected_folders = read.texts("uncollected_folders");
  if (read.has("extensions")) rule.extensions = read.pairs_or_none("extensions");
  if (read.has("extension_by_modules")) rule.extension_by_modules = read.pairs_or_none("extension_by_modules");
}

part_rules read_parts(const config_reader& read) {
  part_rules rules;
  rules.groups = read.texts_or_none("groups");
  rules.hooks = read.texts_or_none("hooks");
  rules.group_modules = read.texts_or_none("group_modules");
  rules.setup = read.texts_or_none("setup");
  rules.main = read.texts_or_none("main");
  rules.top_level = read.texts_or_none("top_level");
  rules.whole_file_names = read.texts_or_none("whole_file_names");
  rules.whole_file_marks = read.texts_or_none("whole_file_marks");
  return rules;
}

void read_targets(const config_reader& target, prompt_language& result) {
  read_target(target, result.target);
  if (result.target.name.find("{stem}") == std::string::npos) target.refuse("name", "lacks '{stem}'");
  if (!target.has("frameworks")) return;
  for (const auto& [framework, changes] : target.at("frameworks").members()) {
    auto rule = result.target;
    read_target(changes, rule);
    result.framework_targets.emplace(framework, std::move(rule));
  }
}

expected<prompt_language> load_language(const std::string& id, const fs::path& path) {
  const auto document = config_document::load(path);
  if (!document) return tl::unexpected{document.error()};
  const auto top = document->top();
  prompt_language result;
  result.id = id;
  result.imports = style_in(top);
  result.comment_mark = top.text("comment_mark");
  result.constructor = top.text_or("constructor", "");
  result.esm_frameworks = top.texts_or_none("esm_frameworks");
  result.reserved = top.texts_or_none("reserved");
  result.fence_tags = top.texts("fence_tags");
  result.code_starts = top.texts("code_starts");
  if (top.has("parts")) result.parts = read_parts(top.at("parts"));
  if (result.imports == import_style::es && result.parts.groups.empty())
    top.report("\"parts\" -> \"groups\" is empty; merging needs a function that declares a group");
  read_targets(top.at("target"), result);
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return result;
}

/// "node:test" -> "node-test": the name of a framework's file.
std::string file_name_of(std::string_view framework) {
  std::string result{framework};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '-');
  return result;
}

std::string trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string{text};
}

/// Replaces each `{{name}}`; an unknown name is an error. The replacements are not searched for further names.
expected<std::string> fill(std::string_view text, const std::map<std::string_view, std::string_view>& values) {
  std::string result;
  while (true) {
    const auto open = text.find("{{");
    result += text.substr(0, open);
    if (open == std::string_view::npos) return result;
    const auto close = text.find("}}", open);
    if (close == std::string_view::npos) return fail(ec::config_invalid, "system.md: '{{' without '}}'");
    const auto found = values.find(text.substr(open + 2, close - open - 2));
    if (found == values.end())
      return fail(ec::config_invalid,
                  fmt::format("system.md: nothing fills '{}'", text.substr(open, close + 2 - open)));
    result += found->second;
    text.remove_prefix(close + 2);
  }
}

expected<std::string> fill_system(std::string_view text, std::string_view language, std::string_view framework,
                                  std::string_view language_rules, std::string_view framework_rules) {
  return fill(text, {{"language", language},
                     {"framework", framework},
                     {"language_rules", language_rules},
                     {"framework_rules", framework_rules}});
}

}  // namespace

const target_rule& prompt_language::target_for(const std::string& framework) const noexcept {
  const auto found = framework_targets.find(framework);
  return found == framework_targets.end() ? target : found->second;
}

const prompt_language* prompt_texts::language(std::string_view id) const noexcept {
  const auto found = languages_.find(id);
  return found == languages_.end() ? nullptr : &found->second;
}

expected<std::string> prompt_texts::shared_prefix(const cohort::languages::language& lang,
                                                  const std::string& framework) const {
  const auto rules = language_rules_.find(lang.id);
  if (rules == language_rules_.end())
    return fail(ec::config_invalid,
                fmt::format("there is no prompt for {}; add config/languages/{}/prompt.json and prompt.md", lang.name,
                            lang.id));
  const auto file = file_name_of(framework);
  const auto advice = framework_rules_.find(file);
  if (advice == framework_rules_.end())
    return fail(
        ec::config_invalid,
        fmt::format("there is no prompt for the framework '{}'; add config/prompts/frameworks/{}.md", framework, file));
  return fill_system(system_, lang.name, framework, rules->second, advice->second);
}

expected<prompt_texts> load_prompt_texts(const fs::path& config_dir, const language_set& languages) {
  prompt_texts result;
  const auto root = config_document::load(config_dir / "prompts" / "prompts.json");
  if (!root) return tl::unexpected{root.error()};
  root->top().require("version", 0, std::numeric_limits<uint32_t>::max(), result.version_);
  if (auto fine = root->finish(); !fine) return tl::unexpected{fine.error()};
  const auto system = read_file(config_dir / "prompts" / "system.md", text_limit);
  if (!system) return tl::unexpected{system.error()};
  result.system_ = *system;
  if (const auto probe = fill_system(result.system_, "", "", "", ""); !probe) return tl::unexpected{probe.error()};
  for (const auto& lang : languages.all()) {
    const auto folder = config_dir / "languages" / lang->id;
    std::error_code ignored;
    if (!fs::exists(folder / "prompt.json", ignored)) continue;
    auto loaded = load_language(lang->id, folder / "prompt.json");
    if (!loaded) return tl::unexpected{loaded.error()};
    const auto rules = read_file(folder / "prompt.md", text_limit);
    if (!rules) return tl::unexpected{rules.error()};
    result.languages_.emplace(lang->id, std::move(*loaded));
    result.language_rules_.emplace(lang->id, trimmed(*rules));
  }
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{config_dir / "prompts" / "frameworks", failed}) {
    if (entry.path().extension() != ".md") continue;
    const auto text = read_file(entry.path(), text_limit);
    if (!text) return tl::unexpected{text.error()};
    result.framework_rules_.emplace(entry.path().stem().string(), trimmed(*text));
  }
  if (failed) return fail(ec::config_invalid, "config/prompts/frameworks cannot be read: " + failed.message());
  return result;
}

}  // namespace cohort::languages
