// `cohort analyze-gaps PROJECT`: where tests are missing; the JSON form is taken back by `--gap-report`.

#include <iostream>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/files.hpp"
#include "base/text.hpp"
#include "claude/api/catalog.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/project_plan.hpp"
#include "cli/run_defaults.hpp"
#include "languages/grammars/language.hpp"
#include "planning/survey/gap_report.hpp"
#include "planning/survey/survey.hpp"
#include "state/generated_files.hpp"
#include "state/workspace.hpp"

namespace cohort::cli {

namespace {

struct gap_options {
  std::filesystem::path project;
  std::string format = "text";
  std::optional<std::filesystem::path> output;
  uint32_t threshold = 5;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
};

/// As a run without options would plan.
expected<void> try_to_plan(planning::project_survey& seen, const state::workspace& workspace,
                           const languages::language_set& languages) {
  const auto defaults = load_run_defaults();
  if (!defaults) return tl::unexpected{defaults.error()};
  auto planning = planning::load_planning_defaults(config_directory());
  if (!planning) return tl::unexpected{planning.error()};
  const auto models = claude::catalog::load();
  if (!models) return tl::unexpected{models.error()};
  auto model = models->find(defaults->settings.model);
  if (!model) return tl::unexpected{model.error()};
  plan_request request;
  request.workspace = workspace;
  request.settings = defaults->settings;
  request.planning = std::move(*planning);
  request.model = std::move(*model);
  return add_unplannable(seen, request, languages);
}

int analyze(const gap_options& options) {
  auto workspace = state::open_workspace(options.project);
  if (!workspace) return complain(workspace.error());
  auto languages = languages::load_languages(config_directory());
  if (!languages) return complain(languages.error());
  auto generated = state::generated_files(*workspace);
  if (!generated)
    warn(
        fmt::format("the ledger cannot tell which tests were generated, so that those outside of .claude-testing "
                    "count as yours: {}",
                    printable(generated.error().message, 1000)));
  planning::survey_options wanted;
  if (generated) wanted.discover.generated = std::move(*generated);
  wanted.discover.include = options.include;
  wanted.discover.exclude = options.exclude;
  wanted.min_complexity = options.threshold;
  wanted.cache = planning::survey_cache::read_only;
  wanted.cache_file = workspace->cache_file();
  auto seen = planning::survey(workspace->project, wanted, *languages);
  if (!seen) return complain(seen.error());
  for (const auto& warning : seen->warnings) warn(printable(warning, 500));
  if (auto tried = try_to_plan(*seen, *workspace, *languages); !tried)
    warn(fmt::format("what does not fit a request is not known: {}", tried.error().message));
  const auto format = planning::report_format_named(options.format);
  if (!format) return complain(format.error());
  const auto text = planning::write_gap_report(*seen, *format);
  if (!options.output) {
    print(text);
    return to_int(exit_code::done);
  }
  if (auto written = replace_file(*options.output, text, durability::later); !written) return complain(written.error());
  notice("written to " + options.output->string());
  return to_int(exit_code::done);
}

}  // namespace

void add_analyze_gaps(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<gap_options>();
  auto* command = app.add_subcommand("analyze-gaps", "List the files and symbols that lack tests");
  command->add_option("project", options->project, "The project's directory")->required();
  command->add_option("-f,--format", options->format, "json, markdown or text [text]")
      ->check(CLI::IsMember({"json", "markdown", "text"}));
  command->add_option("-o,--output", options->output, "Write into this file instead of stdout");
  command->add_option("-t,--threshold", options->threshold, "Least complexity of a file, 1 to 10 [5]")
      ->check(CLI::Range(1, 10));
  command->add_option("--include", options->include, "Only files that match this glob (repeatable)")
      ->take_all()
      ->expected(1);
  command->add_option("--exclude", options->exclude, "No files that match this glob (repeatable)")
      ->take_all()
      ->expected(1);
  command->callback([options, &chosen] { chosen = [options] { return analyze(*options); }; });
}

}  // namespace cohort::cli
