// Turns answers into test files: the answer handler for generated tests.
#pragma once

#include <filesystem>
#include <memory>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "messages/task.hpp"

namespace cohort::answers {

/// Validates and assembles answers to the tasks of `plan_tasks`. It does not change after construction, so that many
/// threads may call it.
class test_answer_handler : public answer_handler {
 public:
  test_answer_handler(std::shared_ptr<const languages::language_set> languages,
                      std::shared_ptr<const languages::prompt_texts> texts);

  /// The test file in `answer`; see `extract_code`. `ec::config_invalid` if the task's language is not known.
  [[nodiscard]] expected<std::string> extract(const task_spec& task, std::string_view answer) const override;

  /// See `why_not_mergeable` in merge.hpp; empty if the task's language is not known.
  [[nodiscard]] std::string why_not_mergeable(const task_spec& task, const std::string& extracted) const override;

  /// One part unchanged; several merged by `merge_parts`. `ec::broken_code` if the result does not parse,
  /// `ec::answer_too_costly` if it breaks a bound.
  [[nodiscard]] expected<std::string> assemble(const task_spec& any,
                                               const std::vector<std::string>& extracted) const override;

  /// Another name that the framework collects: "test_cart_2.py", "cart_2.test.ts"; for Go, whose folders are packages,
  /// "cart_2/cart_test.go".
  [[nodiscard]] std::string alternative_name(const task_spec& task, const std::string& ending) const override;

  /// A name as `name_targets` and `alternative_name` make them.
  [[nodiscard]] bool is_result_name(const task_spec& task, const std::string& name) const override;

  /// The names of the tests, without the endings that `merge_parts` gives them.
  [[nodiscard]] std::vector<std::string> results_in(const task_spec& task, const std::string& content) const override;

 private:
  struct language_rules {
    const languages::language* lang = nullptr;
    const languages::prompt_language* conventions = nullptr;
  };
  [[nodiscard]] expected<language_rules> rules_of(const task_spec& task) const;

  std::shared_ptr<const languages::language_set> languages_;
  std::shared_ptr<const languages::prompt_texts> texts_;
};

/// `ec::config_invalid` if a language's `locals.scm` does not compile.
[[nodiscard]] expected<std::unique_ptr<test_answer_handler>> make_test_answer_handler(
    std::shared_ptr<const languages::language_set> languages, std::shared_ptr<const languages::prompt_texts> texts);

/// The same with languages and texts read from `config_dir`.
[[nodiscard]] expected<std::unique_ptr<test_answer_handler>> load_test_answer_handler(
    const std::filesystem::path& config_dir);

}  // namespace cohort::answers
