// Reads prompts and conventions as data. `{{name}}` is replaced in system.md only; a text that is filled in is not
// searched again.

#include "languages/conventions/prompt_texts.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort::languages {

namespace {

using json = nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t text_limit = 1U << 20;

expected<json> read_json(const fs::path& path) {
  const auto text = read_file(path, text_limit);
  if (!text) return tl::unexpected{text.error()};
  auto root = json::parse(*text, nullptr, false);
  if (!root.is_object()) return fail(ec::config_invalid, fmt::format("'{}' is not a JSON object", path.string()));
  return root;
}

expected<import_style> style_named(const std::string& name) {
  if (name == "python") return import_style::python;
  if (name == "es") return import_style::es;
  if (name == "go") return import_style::go;
  return fail(ec::config_invalid, fmt::format("'import_style' is '{}'; known are python, es and go", name));
}

void read_target(const json& object, target_rule& rule) {
  rule.name = object.value("name", rule.name);
  rule.unique_names = object.value("unique_names", rule.unique_names);
  rule.identifier_names = object.value("identifier_names", rule.identifier_names);
  rule.flat = object.value("flat", rule.flat);
  rule.own_folder = object.value("own_folder", rule.own_folder);
  rule.uncollected_folders = object.value("uncollected_folders", rule.uncollected_folders);
  rule.extensions = object.value("extensions", rule.extensions);
  rule.extension_by_modules = object.value("extension_by_modules", rule.extension_by_modules);
}

part_rules read_parts(const json& object) {
  part_rules rules;
  rules.groups = object.value("groups", rules.groups);
  rules.hooks = object.value("hooks", rules.hooks);
  rules.group_modules = object.value("group_modules", rules.group_modules);
  rules.setup = object.value("setup", rules.setup);
  rules.main = object.value("main", rules.main);
  rules.top_level = object.value("top_level", rules.top_level);
  rules.whole_file_names = object.value("whole_file_names", rules.whole_file_names);
  rules.whole_file_marks = object.value("whole_file_marks", rules.whole_file_marks);
  return rules;
}

/// May throw what nlohmann throws on wrong types; the caller turns that into an error.
expected<prompt_language> read_language(const std::string& id, const json& root) {
  prompt_language result;
  result.id = id;
  const auto style = style_named(root.at("import_style").get<std::string>());
  if (!style) return tl::unexpected{style.error()};
  result.imports = *style;
  root.at("comment_mark").get_to(result.comment_mark);
  result.constructor = root.value("constructor", "");
  result.esm_frameworks = root.value("esm_frameworks", result.esm_frameworks);
  result.reserved = root.value("reserved", result.reserved);
  root.at("fence_tags").get_to(result.fence_tags);
  root.at("code_starts").get_to(result.code_starts);
  if (root.contains("parts")) result.parts = read_parts(root["parts"]);
  if (result.imports == import_style::es && result.parts.groups.empty())
    return fail(ec::config_invalid, "'parts' -> 'groups' is empty; merging needs a function that declares a group");
  const auto& target = root.at("target");
  read_target(target, result.target);
  if (result.target.name.find("{stem}") == std::string::npos)
    return fail(ec::config_invalid, "'target' -> 'name' lacks '{stem}'");
  if (target.contains("frameworks"))
    for (const auto& [framework, changes] : target["frameworks"].items()) {
      auto rule = result.target;
      read_target(changes, rule);
      result.framework_targets.emplace(framework, std::move(rule));
    }
  return result;
}

expected<prompt_language> load_language(const std::string& id, const fs::path& path) {
  const auto root = read_json(path);
  if (!root) return tl::unexpected{root.error()};
  const auto located = [&](std::string_view what) {
    return fail(ec::config_invalid, fmt::format("'{}': {}", path.string(), what));
  };
  try {
    auto result = read_language(id, *root);
    if (!result) return located(result.error().message);
    return result;
  } catch (const json::exception& wrong) {
    return located(wrong.what());
  }
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
  const auto root = read_json(config_dir / "prompts" / "prompts.json");
  if (!root) return tl::unexpected{root.error()};
  if (!root->contains("version") || !(*root)["version"].is_number_unsigned())
    return fail(ec::config_invalid, "config/prompts/prompts.json: 'version' must be a whole number");
  result.version_ = (*root)["version"].get<uint32_t>();
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
