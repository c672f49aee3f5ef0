// Finds the language in the task's traits; the work is done in answer.cpp and merge.cpp.

#include "planning/answer_craft.hpp"

#include <fmt/format.h>

#include "planning/answer.hpp"
#include "planning/merge.hpp"

namespace cohort {

test_craft::test_craft(std::shared_ptr<const language_set> languages, std::shared_ptr<const prompt_texts> texts)
    : languages_(std::move(languages)), texts_(std::move(texts)) {}

expected<test_craft::idiom> test_craft::idiom_of(const task_spec& task) const {
  const auto trait = task.traits.find("language");
  const auto id = trait == task.traits.end() ? std::string{} : trait->second;
  const idiom found{languages_->by_id(id), texts_->language(id)};
  if (found.lang == nullptr || found.words == nullptr)
    return fail(ec::config_invalid,
                fmt::format("'{}': no language '{}' in config/languages/ that has a prompt.json", task.label, id));
  return found;
}

expected<std::string> test_craft::extract(const task_spec& task, std::string_view answer) const {
  const auto found = idiom_of(task);
  if (!found) return tl::unexpected{found.error()};
  return extract_code(answer, *found->lang, *found->words, task.target);
}

std::string test_craft::why_alone(const task_spec& task, const std::string& extracted) const {
  const auto found = idiom_of(task);
  return found ? cohort::why_alone(*found->lang, *found->words, task.target, extracted) : std::string{};
}

expected<std::string> test_craft::assemble(const task_spec& any, const std::vector<std::string>& extracted) const {
  if (extracted.empty()) return fail(ec::no_code, fmt::format("'{}': no part has an answer", any.label));
  const auto found = idiom_of(any);
  if (!found) return tl::unexpected{found.error()};
  auto merged = extracted.size() == 1 ? expected<std::string>{extracted.front()}
                                      : merge_parts(*found->lang, *found->words, any.target, extracted);
  if (!merged) return merged;
  if (const auto report = check_syntax(*found->lang, any.target, *merged); !report.ok)
    return fail(ec::broken_code, fmt::format("'{}': the merged parts do not parse: error at line {}, column {}",
                                             any.target, report.line, report.column));
  return merged;
}

std::string test_craft::other_name(const task_spec& task, const std::string& ending) const {
  constexpr std::string_view suffix = "_test";
  auto other = task.target;
  const auto slash = other.rfind('/');
  const auto folder_end = slash == std::string::npos ? 0 : slash + 1;
  const auto found = idiom_of(task);
  const auto framework = task.traits.find("framework");
  const bool own_folder =
      found && found->words->target_for(framework == task.traits.end() ? "" : framework->second).own_folder;
  if (own_folder && slash != std::string::npos) return other.insert(slash, "_" + ending);
  auto stem_end = std::min(other.find('.', folder_end), other.size());
  const auto stem = std::string_view{other}.substr(folder_end, stem_end - folder_end);
  if (stem.size() > suffix.size() && stem.ends_with(suffix)) stem_end -= suffix.size();
  return other.insert(stem_end, "_" + ending);
}

expected<std::unique_ptr<test_craft>> load_test_craft(const std::filesystem::path& config_dir) {
  auto languages = load_languages(config_dir);
  if (!languages) return tl::unexpected{languages.error()};
  if (auto compiled = compile_locals(*languages); !compiled) return tl::unexpected{compiled.error()};
  auto shared = std::make_shared<const language_set>(std::move(*languages));
  auto texts = load_prompt_texts(config_dir, *shared);
  if (!texts) return tl::unexpected{texts.error()};
  return std::make_unique<test_craft>(shared, std::make_shared<const prompt_texts>(std::move(*texts)));
}

}  // namespace cohort
