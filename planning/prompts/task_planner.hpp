// Makes tasks from gaps: one prompt with an identity for each gap, or several if the source is too big for one. Tasks
// are given out one by one, in the order of their sources' paths, so that ten thousand prompts are never in memory at
// once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "languages/syntax/source.hpp"
#include "messages/price.hpp"
#include "messages/task.hpp"
#include "planning/sizing/planning_defaults.hpp"

namespace cohort::planning {

struct project_survey;  // survey.hpp

/// A source and what in it lacks tests.
struct test_request {
  const languages::source_file* source = nullptr;
  std::vector<languages::symbol> symbols;
};

/// Says of a unit whether a delivered test is for it: "name", or "class\nname" for a method, with its text.
using done_test = std::function<bool(const languages::source_file&, const std::string& unit, std::string_view text)>;

/// What is planned. Everything pointed to must outlive the call.
struct task_input {
  std::filesystem::path project;
  std::span<const languages::source_file>
      files;  ///< All that were parsed, tests included: names, imports, examples come from them.
  std::function<std::string(const languages::source_file&)> framework_of;  ///< The test framework for a source.
  std::vector<test_request> requests;                                      ///< In any order; planned by path.
  done_test is_done{};  ///< What is not to be asked for again; null: nothing is done.
};

/// How requests are made.
struct task_options {
  model_info model;
  std::string tests_dir = ".claude-testing/tests";  ///< Relative to the project, or absolute.
  cache_mode cache = cache_mode::none;
  std::string effort;  ///< As `completion_request::effort`.
};

/// A source that gets no task, or a symbol that no task of its source asks for, with the reason.
struct skipped_source {
  std::string path;
  error why;
  std::string symbol;  ///< "total", "Cart.total"; empty: the whole source.
};

struct task_receiver {
  std::function<bool(task_spec&&)> task;  ///< False stops the planning.
  std::function<void(skipped_source&&)> skipped;
};

/// The totals of a plan.
struct task_totals {
  size_t tasks = 0;
  size_t skipped = 0;      ///< Sources without a task.
  size_t done = 0;         ///< Sources of which everything that lacks tests is delivered.
  task_estimate estimate;  ///< Of all tasks together.
};

/// Plans each request and gives its tasks to the receiver. A source that is gone, has changed since it was parsed,
/// cannot be imported from the tests' directory or does not fit a request is reported as skipped (`ec::source_gone`,
/// `ec::source_changed`, `ec::not_importable`, `ec::file_too_large`, ...), and so is a symbol that does not fit, after
/// the tasks for the rest of its source. Fails with `ec::config_invalid` if there are no prompt texts for a language or
/// framework that is needed.
[[nodiscard]] expected<task_totals> plan_tasks(const task_input& input, const task_options& options,
                                               const languages::language_set& languages,
                                               const languages::prompt_texts& texts, const planning_defaults& defaults,
                                               const task_receiver& receiver);

/// The input from a survey: its gaps as requests. `seen` must outlive the result, unchanged.
[[nodiscard]] task_input input_from(const project_survey& seen, std::filesystem::path project);

}  // namespace cohort::planning
