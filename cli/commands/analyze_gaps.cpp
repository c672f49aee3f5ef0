// `cohort analyze-gaps PROJECT`: where tests are missing; the JSON form is taken back by `--gap-report`.

#include <memory>
#include <optional>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "app/gap_analysis.hpp"
#include "base/files.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/screen/notices_on_console.hpp"
#include "planning/survey/gap_report.hpp"

namespace cohort::cli {

namespace {

struct gap_options {
  app::gap_request request;
  std::string format = "text";
  std::optional<std::filesystem::path> output;
};

int analyze(const gap_options& options) {
  notices_on_console out;
  const auto seen = app::find_gaps(options.request, out);
  if (!seen) return complain(seen.error());
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
  command->add_option("project", options->request.project, "The project's directory")->required();
  command->add_option("-f,--format", options->format, "json, markdown or text [text]")
      ->check(CLI::IsMember({"json", "markdown", "text"}));
  command->add_option("-o,--output", options->output, "Write into this file instead of stdout");
  command->add_option("-t,--threshold", options->request.least_complexity, "Least complexity of a file, 1 to 10 [5]")
      ->check(CLI::Range(1, 10));
  command->add_option("--include", options->request.include, "Only files that match this glob (repeatable)")
      ->take_all()
      ->expected(1);
  command->add_option("--exclude", options->request.exclude, "No files that match this glob (repeatable)")
      ->take_all()
      ->expected(1);
  command->callback([options, &chosen] { chosen = [options] { return analyze(*options); }; });
}

}  // namespace cohort::cli
