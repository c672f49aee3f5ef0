// From a project's directory to tasks: survey, gaps, prompts. Shared by runs, dry runs and the analysis of gaps.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "app/notices.hpp"
#include "app/project_context.hpp"
#include "messages/delivered_work.hpp"
#include "messages/task.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::app {

/// A source, or a symbol of it, that gets no task, with a reason for people.
struct passed_over {
  std::string path;
  ec code = ec::none;
  std::string reason;
  std::string symbol;        ///< Empty: the whole source.
  bool lacks_tests = false;  ///< It would have got a task.
};

/// What a plan came to, besides its tasks.
struct plan_summary {
  size_t files = 0;  ///< Source files that were parsed, tests not counted.
  size_t tests = 0;  ///< Test files of the project.
  size_t fully_tested = 0;
  size_t too_simple = 0;  ///< With a gap, but below the least complexity.
  size_t nothing_public = 0;
  size_t with_gaps = 0;
  size_t tasks = 0;
  size_t delivered = 0;  ///< Sources of which everything that lacks tests has a delivered one.
  std::vector<passed_over> skipped;
  std::vector<std::string> not_lacking;  ///< What a gap report names and the project does not lack any more.
};

/// What to plan.
struct plan_request {
  state::workspace workspace;
  run_settings settings;
  planning::planning_defaults planning;
  model_info model;
  cache_mode cache = cache_mode::none;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::unordered_set<std::string> generated;  ///< See generated_files.hpp.
  std::optional<std::filesystem::path> gap_report;
  std::optional<std::vector<std::string>> regenerate;  ///< Sources that are asked for although they are delivered.
  delivered_work delivered;                            ///< What is not asked for again.
  bool write_cache = false;                            ///< Dry runs write nothing.
};

/// True if the delivered tests of the source at `path` are to be made anew.
[[nodiscard]] bool regenerates(const plan_request& request, const std::string& path);

/// As the user asks for it. `write_cache`: keep what was parsed for the next time.
[[nodiscard]] plan_request planning_of(const project_context& context, const run_settings& settings,
                                       const model_info& model, bool write_cache);

/// False ends the planning.
using task_receiver_fn = std::function<bool(task_spec&&)>;

[[nodiscard]] expected<plan_summary> plan_project(const plan_request& request, notices& out,
                                                  const task_receiver_fn& receive);

/// Plans the gaps of `seen` and throws the tasks away; what would get none is added to `seen.skipped`.
[[nodiscard]] expected<void> add_unplannable(planning::project_survey& seen, const plan_request& request);

}  // namespace cohort::app
