// Loads the frameworks' words and fills them in.

#include "simulator/test_writer.hpp"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort {

namespace {

using nlohmann::json;

framework_words words_of(const json& x) {
  framework_words words;
  words.family = x.at("family").get<std::string>();
  words.fence = x.at("fence").get<std::string>();
  words.comment = x.at("comment").get<std::string>();
  words.head = x.at("head").get<std::string>();
  words.head_commonjs = x.value("head_commonjs", std::string{});
  for (const auto& [kind, text] : x.at("checks").items()) words.checks[kind] = text.get<std::string>();
  words.foot = x.at("foot").get<std::string>();
  return words;
}

using values = std::map<std::string_view, std::string_view>;

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

bool by_require(std::string_view import_text) {
  return find_word(import_text, "require") != std::string_view::npos &&
         find_word(import_text, "import") == std::string_view::npos;
}

std::vector<sure_check> checks_for(const prompt_task& task, const framework_words& words) {
  if (words.family == "python") return python_checks(task);
  if (words.family == "go") return go_checks(task);
  return javascript_checks(task);
}

}  // namespace

expected<test_writer> test_writer::load(const std::filesystem::path& folder) {
  test_writer writer;
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

const framework_words* test_writer::words_for(const prompt_task& task) const noexcept {
  const auto found = frameworks_.find(task.framework);
  return found == frameworks_.end() ? nullptr : &found->second;
}

std::string test_writer::write(const prompt_task& task, const framework_words& words) const {
  std::string out;
  const bool commonjs = !words.head_commonjs.empty() && by_require(task.import_text);
  const std::string package_clause = words.family == "go" ? go_package_clause(task) : std::string{};
  const std::string path = json(task.path).dump(-1, ' ', true, json::error_handler_t::replace);
  append_filled(out, commonjs ? words.head_commonjs : words.head,
                {{"import", task.import_text}, {"path", path}, {"package_clause", package_clause}});
  auto checks = checks_for(task, words);
  const size_t before = out.size();
  std::set<std::string> used;
  const auto add = [&](const sure_check& check) {
    const auto text = words.checks.find(check.kind);
    if (text == words.checks.end()) return;
    std::string name = plain_name(check.name);
    while (!used.insert(fmt::format("{} {} {}", check.kind, name, check.detail)).second) name.push_back('_');
    append_filled(out, text->second, {{"ref", check.ref}, {"name", name}, {"detail", check.detail}, {"path", path}});
  };
  for (const auto& check : checks) add(check);
  if (out.size() == before) add({"loads", {}, "unit", {}});
  append_filled(out, words.foot, {{"path", path}});
  return out;
}

}  // namespace cohort
