// Loads the frameworks' texts and fills in names and details.

#include "simulator/assertions/assertion_text.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort::simulator {

namespace {

using nlohmann::json;

framework_syntax words_of(const json& x) {
  framework_syntax syntax;
  syntax.family = x.at("family").get<std::string>();
  syntax.fence = x.at("fence").get<std::string>();
  syntax.comment = x.at("comment").get<std::string>();
  syntax.head = x.at("head").get<std::string>();
  syntax.head_commonjs = x.value("head_commonjs", std::string{});
  for (const auto& [kind, text] : x.at("checks").items()) syntax.checks[kind] = text.get<std::string>();
  syntax.foot = x.at("foot").get<std::string>();
  syntax.names = x.value("names", syntax.names);
  syntax.renamed = x.value("renamed", std::string{"{{name}}_"});
  syntax.collected = x.value("collected", syntax.collected);
  syntax.hide = x.value("hide", std::string{});
  return syntax;
}

using values = std::map<std::string, std::string, std::less<>>;

void append_filled(std::string& out, std::string_view pattern, const values& fill) {
  while (!pattern.empty()) {
    const size_t open = pattern.find("{{");
    const size_t close = open == std::string_view::npos ? open : pattern.find("}}", open);
    if (close == std::string_view::npos) break;
    const auto found = fill.find(pattern.substr(open + 2, close - open - 2));
    out.append(pattern.substr(0, open));
    if (found != fill.end()) out.append(found->second);
    pattern.remove_prefix(close + 2);
  }
  out.append(pattern);
}

/// Letters, digits and underscores only.
std::string plain_name(std::string_view text) {
  std::string out;
  for (const char c : text) out.push_back(is_name_character(c) && c != '$' && c > 0 ? c : '_');
  return out;
}

std::string filled(std::string_view pattern, const values& fill) {
  std::string out;
  append_filled(out, pattern, fill);
  return out;
}

/// True if the import text binds the name, that is, has it outside of quotes.
bool binds(std::string_view import_text, std::string_view name) {
  for (size_t at = find_word(import_text, name); at != npos; at = find_word(import_text, name, at + 1)) {
    const size_t line = import_text.rfind('\n', at) + 1;  // npos + 1 is 0
    const auto before = import_text.substr(line, at - line);
    if (std::count_if(before.begin(), before.end(), [](char c) { return c == '"' || c == '\''; }) % 2 == 0) return true;
  }
  return false;
}

/// The framework's names as this file imports them: the symbols of the unit keep their names.
values local_names(const prompt_task& task, const framework_syntax& syntax) {
  values fill;
  for (const auto& name : syntax.names) {
    auto local = name;
    while (binds(task.import_text, local)) local = filled(syntax.renamed, {{"name", local}});
    fill[name + " as"] = local == name ? name : fmt::format("{} as {}", name, local);
    fill[name] = std::move(local);
  }
  return fill;
}

/// The text that gives another name to each symbol that the framework would run as a test.
std::string hide_collected(std::vector<sure_check>& checks, const framework_syntax& syntax) {
  std::set<std::string> hidden;
  for (auto& check : checks) {
    const bool collected = std::any_of(syntax.collected.begin(), syntax.collected.end(),
                                       [&check](const auto& prefix) { return check.ref.starts_with(prefix); });
    if (!collected || check.ref.find('.') != std::string::npos) continue;
    hidden.insert(check.ref);
    check.ref.insert(0, 1, '_');
  }
  std::string text;
  for (const auto& name : hidden) append_filled(text, syntax.hide, {{"name", name}});
  return text;
}

bool by_require(std::string_view import_text) {
  return find_word(import_text, "require") != std::string_view::npos &&
         find_word(import_text, "import") == std::string_view::npos;
}

std::vector<sure_check> checks_for(const prompt_task& task, const framework_syntax& syntax) {
  if (syntax.family == "python") return python_checks(task);
  if (syntax.family == "go") return go_checks(task);
  return javascript_checks(task);
}

}  // namespace

expected<test_text> test_text::load(const std::filesystem::path& folder) {
  test_text writer;
  std::error_code problem;
  for (const auto& file : std::filesystem::directory_iterator(folder, problem)) {
    if (file.path().extension() != ".json") continue;
    auto text = read_file(file.path(), 1 << 20);
    if (!text) return tl::unexpected(text.error());
    try {
      const auto document = json::parse(*text);
      writer.frameworks_[document.at("id").get<std::string>()] = words_of(document);
    } catch (const json::exception& wrong) {
      return fail(ec::config_invalid, fmt::format("{}: {}", file.path().string(), wrong.what()));
    }
  }
  if (problem || writer.frameworks_.empty())
    return fail(ec::config_invalid, fmt::format("{}: no test frameworks (*.json) found here", folder.string()));
  return writer;
}

const framework_syntax* test_text::words_for(const prompt_task& task) const noexcept {
  const auto found = frameworks_.find(task.framework);
  return found == frameworks_.end() ? nullptr : &found->second;
}

std::string test_text::write(const prompt_task& task, const framework_syntax& syntax) const {
  std::string out;
  const bool commonjs = !syntax.head_commonjs.empty() && by_require(task.import_text);
  const bool go = syntax.family == "go";
  auto checks = checks_for(task, syntax);
  auto fill = local_names(task, syntax);
  fill["path"] = json(task.path).dump(-1, ' ', true, json::error_handler_t::replace);
  fill["package_clause"] = go ? go_package_clause(task) : std::string{};
  fill["import"] = go && checks.empty() ? go_unused_import(task) : std::string{task.import_text};
  append_filled(out, commonjs ? syntax.head_commonjs : syntax.head, fill);
  out += hide_collected(checks, syntax);
  const size_t before = out.size();
  std::set<std::string> used;
  const auto add = [&](const sure_check& check) {
    const auto text = syntax.checks.find(check.kind);
    if (text == syntax.checks.end()) return;
    std::string name = plain_name(check.name);
    while (!used.insert(fmt::format("{} {} {}", check.kind, name, check.detail)).second) name.push_back('_');
    fill["ref"] = check.ref;
    fill["name"] = std::move(name);
    fill["detail"] = check.detail;
    append_filled(out, text->second, fill);
  };
  for (const auto& check : checks) add(check);
  if (out.size() == before) add({"loads", {}, "unit", {}});
  append_filled(out, syntax.foot, fill);
  return out;
}

}  // namespace cohort::simulator
