// Survey, gaps (found or given), tasks.

#include "cli/project_plan.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "planning/prompts/task_planner.hpp"
#include "planning/survey/gap_report.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::cli {

namespace {

constexpr size_t most_listed = 10;

/// A progress line on a terminal while a large project is read.
std::function<void(size_t, size_t)> progress_on_terminal() {
  if (terminal_width() == 0) return {};
  return [last = steady_clock::now()](size_t done, size_t total) mutable {
    const auto now = steady_clock::now();
    const bool first_second = now - last < std::chrono::milliseconds{200};
    if (first_second && done != total) return;
    last = now;
    const auto line = done == total ? std::string{"\r\x1b[K"}
                                    : fmt::format("\rreading the project: {} of {} files\x1b[K", done, total);
    std::fwrite(line.data(), 1, line.size(), stderr);
  };
}

planning::survey_options options_for(const plan_request& request) {
  planning::survey_options options;
  options.discover.include = request.include;
  options.discover.exclude = request.exclude;
  options.discover.generated = request.generated;
  options.min_complexity = request.settings.min_complexity;
  options.cache = request.write_cache ? planning::survey_cache::read_write : planning::survey_cache::read_only;
  options.cache_file = request.workspace.cache_file();
  options.progress = progress_on_terminal();
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

/// A line for each, not too many unless `verbose`.
std::string lines_of(const std::vector<std::string>& entries, bool verbose) {
  std::string text;
  size_t shown = 0;
  for (const auto& entry : entries) {
    if (!verbose && ++shown > most_listed)
      return text + fmt::format("  ... and {} more (-v lists all)\n", entries.size() - most_listed);
    text += fmt::format("  {}\n", entry);
  }
  return text;
}

}  // namespace

expected<plan_summary> plan_project(const plan_request& request, const task_receiver_fn& receive) {
  auto languages = languages::load_languages(config_directory());
  if (!languages) return tl::unexpected{languages.error()};
  auto texts = languages::load_prompt_texts(config_directory(), *languages);
  if (!texts) return tl::unexpected{texts.error()};
  auto seen = planning::survey(request.workspace.project, options_for(request), *languages);
  if (!seen) return tl::unexpected{seen.error()};
  for (const auto& warning : seen->warnings) {
    log_warning("{}", warning);
    warn(printable(warning, 500));
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
  const auto totals = planning::plan_tasks(planning::input_from(*seen, request.workspace.project),
                                           options_for_tasks(request), *languages, *texts, request.planning, receiver);
  if (!totals) return tl::unexpected{totals.error()};
  summary.tasks = totals->tasks;
  return summary;
}

expected<void> add_unplannable(planning::project_survey& seen, const plan_request& request,
                               const languages::language_set& languages) {
  const auto texts = languages::load_prompt_texts(config_directory(), languages);
  if (!texts) return tl::unexpected{texts.error()};
  std::vector<planning::skipped_file> found;
  planning::task_receiver receiver;
  receiver.task = [](task_spec&&) { return true; };
  receiver.skipped = [&](planning::skipped_source&& one) {
    found.push_back({one.path, one.why.code, one.why.message});
  };
  const auto totals = planning::plan_tasks(planning::input_from(seen, request.workspace.project),
                                           options_for_tasks(request), languages, *texts, request.planning, receiver);
  if (!totals) return tl::unexpected{totals.error()};
  std::move(found.begin(), found.end(), std::back_inserter(seen.skipped));
  std::stable_sort(seen.skipped.begin(), seen.skipped.end(),
                   [](const auto& a, const auto& b) { return a.path < b.path; });
  return {};
}

std::string describe(const plan_summary& summary, bool verbose) {
  std::string text = fmt::format(
      "{} source files, {} test files: {} with gaps, {} fully tested, {} too simple, {} with nothing to test",
      summary.files, summary.tests, summary.with_gaps, summary.fully_tested, summary.too_simple,
      summary.nothing_public);
  if (!summary.skipped.empty()) text += fmt::format(", {} left out:", summary.skipped.size());
  text += "\n";
  std::vector<std::string> skipped;
  for (const auto& file : summary.skipped)
    skipped.push_back(fmt::format("{}: {}", printable(file.path), printable(file.reason, 200)));
  text += lines_of(skipped, verbose);
  if (summary.not_lacking.empty()) return text;
  std::vector<std::string> named;
  for (const auto& difference : summary.not_lacking) named.push_back(printable(difference, 500));
  return text + fmt::format("{} entries of the gap report are passed over:\n", named.size()) + lines_of(named, verbose);
}

std::string describe_unplannable(const plan_summary& summary) {
  constexpr size_t most_reasons = 3;
  std::set<std::string_view> files;
  std::string reasons;
  for (const auto& one : summary.skipped) {
    if (!one.lacks_tests || !files.insert(one.path).second) continue;
    if (files.size() <= most_reasons)
      reasons += fmt::format("\n  {}: {}", printable(one.path), printable(one.reason, 200));
  }
  if (files.empty()) return {};
  if (files.size() > most_reasons) reasons += fmt::format("\n  ... and {} more", files.size() - most_reasons);
  if (files.size() == 1) return "1 file has gaps and cannot be planned:" + reasons;
  return fmt::format("{} files have gaps, none can be planned:{}", files.size(), reasons);
}

}  // namespace cohort::cli
