// Surveys a project, takes the gaps that were found or given, and plans their tasks.

#include "app/project_plan.hpp"

#include <algorithm>
#include <iterator>

#include "app/loaded_languages.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "languages/paths/glob.hpp"
#include "planning/prompts/task_planner.hpp"
#include "planning/survey/gap_report.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::app {

namespace {

planning::survey_options options_for(const plan_request& request, notices& out) {
  planning::survey_options options;
  options.discover.include = request.include;
  options.discover.exclude = request.exclude;
  options.discover.generated = request.generated;
  options.min_complexity = request.settings.min_complexity;
  options.cache = request.write_cache ? planning::survey_cache::read_write : planning::survey_cache::read_only;
  options.cache_file = request.workspace.cache_file();
  options.progress = [&out](size_t done, size_t total) { out.reading(done, total); };
  return options;
}

planning::task_options options_for_tasks(const plan_request& request) {
  return {request.model, request.settings.output_directory, request.cache, request.settings.effort};
}

plan_summary summary_of(const planning::project_survey& seen) {
  plan_summary summary;
  summary.files = seen.counts.parsed - seen.counts.tests;
  summary.tests = seen.counts.tests;
  summary.fully_tested = seen.counts.fully_tested;
  summary.too_simple = seen.counts.too_simple;
  summary.nothing_public = seen.counts.no_public_symbols;
  summary.with_gaps = seen.gaps.size();
  for (const auto& file : seen.skipped)
    summary.skipped.push_back({file.path, file.code, file.reason, {}, file.code == ec::not_importable});
  return summary;
}

}  // namespace

plan_request planning_of(const project_context& context, const run_settings& settings, const model_info& model,
                         bool write_cache) {
  plan_request request;
  request.workspace = context.workspace;
  request.settings = settings;
  request.planning = context.planning;
  request.model = model;
  request.cache = context.defaults.cache;
  request.include = context.request.include;
  request.exclude = context.request.exclude;
  request.gap_report = context.request.gap_report;
  request.regenerate = context.request.regenerate;
  request.write_cache = write_cache;
  return request;
}

bool regenerates(const plan_request& request, const std::string& path) {
  if (!request.regenerate) return false;
  const auto& globs = *request.regenerate;
  return globs.empty() || std::any_of(globs.begin(), globs.end(),
                                      [&](const auto& glob) { return languages::path_filter_match(glob, path); });
}

namespace {

/// Says of a unit that a delivered test is for it, unless its test is to be made anew.
planning::done_test done_test_of(const plan_request& request) {
  if (request.delivered.empty()) return nullptr;
  return [&request](const languages::source_file& source, const std::string& unit, std::string_view text) {
    const auto is_there = [&](const std::string& path) {
      std::error_code ignored;
      return std::filesystem::exists(request.workspace.project / path, ignored);
    };
    return !regenerates(request, source.path) &&
           request.delivered.covers(source.path, source.content, unit_work_of(unit, text), is_there);
  };
}

}  // namespace

expected<plan_summary> plan_project(const plan_request& request, notices& out, const task_receiver_fn& receive) {
  const auto known = shared_languages();
  if (!known) return tl::unexpected{known.error()};
  auto seen = planning::survey(request.workspace.project, options_for(request, out), *known->languages);
  if (!seen) return tl::unexpected{seen.error()};
  for (const auto& warning : seen->warnings) {
    log_warning("{}", warning);
    out.warn(printable(warning, 500));
  }
  std::vector<std::string> not_lacking;
  if (request.gap_report) {
    const auto report = planning::read_gap_report(*request.gap_report);
    if (!report) return tl::unexpected{report.error()};
    not_lacking = planning::restrict_to(*seen, *report);
    for (const auto& difference : not_lacking) log_info("gap report: {}", difference);
  }

  auto summary = summary_of(*seen);
  if (request.gap_report)  // Who asks for certain gaps did not ask for these.
    for (auto& one : summary.skipped) one.lacks_tests = false;
  summary.not_lacking = std::move(not_lacking);
  planning::task_receiver receiver;
  receiver.task = [&](task_spec&& task) { return receive(std::move(task)); };
  receiver.skipped = [&](planning::skipped_source&& one) {
    summary.skipped.push_back({one.path, one.why.code, one.why.message, one.symbol, true});
  };
  auto input = planning::input_from(*seen, request.workspace.project);
  input.is_done = done_test_of(request);
  const auto totals = planning::plan_tasks(input, options_for_tasks(request), *known->languages, *known->texts,
                                           request.planning, receiver);
  if (!totals) return tl::unexpected{totals.error()};
  summary.tasks = totals->tasks;
  summary.delivered = totals->done;
  return summary;
}

expected<void> add_unplannable(planning::project_survey& seen, const plan_request& request) {
  const auto known = shared_languages();
  if (!known) return tl::unexpected{known.error()};
  std::vector<planning::skipped_file> found;
  planning::task_receiver receiver;
  receiver.task = [](task_spec&&) { return true; };
  receiver.skipped = [&](planning::skipped_source&& one) {
    found.push_back({one.path, one.why.code, one.why.message});
  };
  const auto totals =
      planning::plan_tasks(planning::input_from(seen, request.workspace.project), options_for_tasks(request),
                           *known->languages, *known->texts, request.planning, receiver);
  if (!totals) return tl::unexpected{totals.error()};
  std::move(found.begin(), found.end(), std::back_inserter(seen.skipped));
  std::stable_sort(seen.skipped.begin(), seen.skipped.end(),
                   [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

}  // namespace cohort::app
