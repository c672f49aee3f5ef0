// Finds the language in the task's traits and calls code_extraction.cpp and merge.cpp for it.

#include "answers/generated_tests.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "answers/code_extraction.hpp"
#include "answers/merge.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tests_in_source.hpp"

namespace cohort::answers {

namespace {

constexpr size_t largest_merged = size_t{4} << 20U;

/// True if a test file by this rule can have the extension, which begins with a dot.
bool may_end_with(std::string_view extension, const languages::language& lang, const languages::target_rule& rule) {
  const auto leads_there = [&](const auto& one) { return one.second == extension; };
  return std::find(lang.extensions.begin(), lang.extensions.end(), extension) != lang.extensions.end() ||
         std::any_of(rule.extensions.begin(), rule.extensions.end(), leads_there) ||
         std::any_of(rule.extension_by_modules.begin(), rule.extension_by_modules.end(), leads_there);
}

/// "TestCart_part2.test_total" -> "TestCart.test_total". Any ending that looks like one of ours is removed.
std::string without_endings(std::string_view name) {
  constexpr std::string_view mark = "_part";
  std::string result;
  while (!name.empty()) {
    const auto at = name.find(mark);
    const auto number = at == std::string_view::npos ? at : at + mark.size();
    result += name.substr(0, at);
    if (at == std::string_view::npos) break;
    auto end = std::min(name.find_first_not_of("0123456789", number), name.size());
    if (end > number) end = std::min(name.find_first_not_of('_', end), name.size());
    const bool is_ending = end > number && (end == name.size() || name[end] == '.');
    if (!is_ending) result += name.substr(at, mark.size());
    name.remove_prefix(is_ending ? end : number);
  }
  return result;
}

}  // namespace

test_answer_handler::test_answer_handler(std::shared_ptr<const languages::language_set> languages,
                                         std::shared_ptr<const languages::prompt_texts> texts)
    : languages_(std::move(languages)), texts_(std::move(texts)) {}

expected<test_answer_handler::language_rules> test_answer_handler::rules_of(const task_spec& task) const {
  const auto trait = task.traits.find("language");
  const auto id = trait == task.traits.end() ? std::string{} : trait->second;
  const language_rules found{languages_->by_id(id), texts_->language(id)};
  if (found.lang == nullptr || found.conventions == nullptr)
    return fail(ec::config_invalid,
                fmt::format("'{}': no language '{}' in config/languages/ that has a prompt.json", task.label, id));
  return found;
}

expected<std::string> test_answer_handler::extract(const task_spec& task, std::string_view answer) const {
  const auto found = rules_of(task);
  if (!found) return tl::unexpected{found.error()};
  return extract_code(answer, *found->lang, *found->conventions, task.target);
}

std::string test_answer_handler::why_not_mergeable(const task_spec& task, const std::string& extracted) const {
  const auto found = rules_of(task);
  return found ? cohort::answers::why_not_mergeable(*found->lang, *found->conventions, task.target, extracted)
               : std::string{};
}

expected<std::string> test_answer_handler::assemble(const task_spec& any,
                                                    const std::vector<std::string>& extracted) const {
  if (extracted.empty()) return fail(ec::no_code, fmt::format("'{}': no part has an answer", any.label));
  const auto found = rules_of(any);
  if (!found) return tl::unexpected{found.error()};
  size_t bytes = 0;
  for (const auto& part : extracted) bytes += part.size();
  if (bytes > largest_merged)
    return fail(ec::answer_too_costly, fmt::format("'{}': its parts have {} bytes; at most {} become one file",
                                                   any.target, bytes, largest_merged));
  auto merged = extracted.size() == 1 ? expected<std::string>{extracted.front()}
                                      : merge_parts(*found->lang, *found->conventions, any.target, extracted);
  if (!merged) return merged;
  const auto report = languages::check_syntax(*found->lang, any.target, *merged);
  if (report.gave_up)
    return fail(ec::answer_too_costly,
                fmt::format("'{}': the merged parts break a bound of what is read: {}", any.target, report.bound));
  if (!report.ok)
    return fail(ec::broken_code, fmt::format("'{}': the merged parts do not parse: error at line {}, column {}",
                                             any.target, report.line, report.column));
  return merged;
}

std::string test_answer_handler::alternative_name(const task_spec& task, const std::string& ending) const {
  constexpr std::string_view suffix = "_test";
  auto other = task.target;
  const auto slash = other.rfind('/');
  const auto folder_end = slash == std::string::npos ? 0 : slash + 1;
  const auto found = rules_of(task);
  const auto framework = task.traits.find("framework");
  const bool own_folder =
      found && found->conventions->target_for(framework == task.traits.end() ? "" : framework->second).own_folder;
  if (own_folder && slash != std::string::npos) return other.insert(slash, "_" + ending);
  auto stem_end = std::min(other.find('.', folder_end), other.size());
  const auto stem = std::string_view{other}.substr(folder_end, stem_end - folder_end);
  if (stem.size() > suffix.size() && stem.ends_with(suffix)) stem_end -= suffix.size();
  return other.insert(stem_end, "_" + ending);
}

bool test_answer_handler::is_result_name(const task_spec& task, const std::string& name) const {
  const auto found = rules_of(task);
  const auto framework = task.traits.find("framework");
  if (!found) return false;
  const auto& rule = found->conventions->target_for(framework == task.traits.end() ? "" : framework->second);
  constexpr std::string_view hole = "{stem}";
  const std::string_view pattern = rule.name;
  const auto before = pattern.substr(0, pattern.find(hole));
  const auto behind = pattern.substr(before.size() + hole.size());
  auto file = std::string_view{name}.substr(name.rfind('/') + 1);
  const auto dot = file.rfind('.');
  if (dot == std::string_view::npos || !may_end_with(file.substr(dot), *found->lang, rule)) return false;
  file = file.substr(0, dot);
  return file.size() > before.size() + behind.size() && file.starts_with(before) && file.ends_with(behind);
}

std::vector<std::string> test_answer_handler::results_in(const task_spec& task, const std::string& content) const {
  const auto found = rules_of(task);
  if (!found) return {};
  const auto& rules = found->lang->rules_for(task.target);
  const auto tree = languages::parse_tree(rules, content);
  if (!tree) return {};
  auto names = languages::names_of_tests(*tree, rules, content);
  for (auto& name : names) name = without_endings(name);
  return names;
}

expected<std::unique_ptr<test_answer_handler>> make_test_answer_handler(
    std::shared_ptr<const languages::language_set> languages, std::shared_ptr<const languages::prompt_texts> texts) {
  if (auto compiled = languages::compile_locals(*languages); !compiled) return tl::unexpected{compiled.error()};
  return std::make_unique<test_answer_handler>(std::move(languages), std::move(texts));
}

expected<std::unique_ptr<test_answer_handler>> load_test_answer_handler(const std::filesystem::path& config_dir) {
  auto languages = languages::load_languages(config_dir);
  if (!languages) return tl::unexpected{languages.error()};
  auto texts = languages::load_prompt_texts(config_dir, *languages);
  if (!texts) return tl::unexpected{texts.error()};
  return make_test_answer_handler(std::make_shared<const languages::language_set>(std::move(*languages)),
                                  std::make_shared<const languages::prompt_texts>(std::move(*texts)));
}

}  // namespace cohort::answers
