// cohort: batched test generation with Claude.

#include <sstream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "claude/api/credentials.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/signals.hpp"

#ifdef __SANITIZE_ADDRESS__
/// The framework's broker for connections is sometimes left over when the program ends: it holds itself.
extern "C" const char* __lsan_default_suppressions() { return "leak:caf::io::basp_broker\n"; }
#endif

int main(int argc, char** argv) {
  cohort::claude::forbid_core_dumps();
  cohort::claude::hide_secrets();
  cohort::cli::ignore_broken_pipes();
  CLI::App app{
      "Cohort finds the files of a project that lack tests and has Claude write them, in batches.\n"
      "It never spends past its limits, and the same command continues after any interruption."};
  app.name("cohort");
  app.set_version_flag("--version", "cohort " COHORT_VERSION);
  app.require_subcommand(1);
  app.footer(cohort::cli::exit_code_help);
  cohort::cli::command_action action;
  cohort::cli::add_generate_logical_batch(app, action);
  cohort::cli::add_generate_logical(app, action);
  cohort::cli::add_analyze_gaps(app, action);
  cohort::cli::add_doctor(app, action);
  cohort::cli::add_verify(app, action);
  cohort::cli::add_trust(app, action);
  cohort::cli::add_simulator(app, action);
  cohort::cli::add_cluster(app, action);
  cohort::cli::add_join(app, action);
  cohort::cli::add_read_answer(app, action);
  for (auto* command : app.get_subcommands({})) command->footer(cohort::cli::exit_code_help);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    // The parser would only say that a command is missing.
    const bool unknown_command = app.get_subcommands().empty() && argc > 1 && argv[1][0] != '-';
    if (unknown_command)
      return cohort::cli::complain({cohort::ec::usage, fmt::format("there is no command '{}'; cohort --help lists them",
                                                                   cohort::printable(argv[1], 200))});
    std::ostringstream words;
    std::ostringstream ignored;
    const bool asked_for_text = app.exit(problem, words, ignored) == 0;
    cohort::cli::print(words.str());
    if (!asked_for_text) {
      cohort::cli::notice(problem.what());  // Repeats arguments, which may be names of files.
      cohort::cli::notice("Run with --help for more information.");
    }
    return static_cast<int>(asked_for_text ? cohort::cli::exit_code::done : cohort::cli::exit_code::usage);
  }
  return action();
}
