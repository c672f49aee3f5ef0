// `cohort generate-logical-batch PROJECT`

#include <limits>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/commands/generate.hpp"

namespace cohort::cli {

void add_generate_logical_batch(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<generate_options>();
  auto* command = app.add_subcommand("generate-logical-batch",
                                     "Generate tests in batches; the same command continues after any interruption");
  add_generate_options(*command, *options);
  const char* batches = "Batches";
  add_setting(*command, options->request, "batch_size", batches);
  command->add_option("--max-batches", options->request.max_batches, "Stop after this many batches")
      ->group(batches)
      ->check(CLI::Range(1u, std::numeric_limits<uint32_t>::max()));
  add_setting(*command, options->request, "parallel_batches", batches);
  command->add_flag("--force", options->request.force, "Run although batching brings no benefit")->group(batches);
  const char* state = "State";
  auto* resume =
      command->add_flag("--resume", options->request.must_continue, "Insist on a run to continue")->group(state);
  auto* stats = command->add_flag("--stats", options->stats, "Show how far the run is; writes nothing")->group(state);
  auto* dry = command->add_flag("--dry-run", options->dry_run, "Show what would be done; writes nothing, needs no key")
                  ->group(state);
  auto* clean =
      command->add_flag("--clean", options->clean, "Reset the state and exit; the old ledger is kept in an archive")
          ->group(state);
  stats->excludes(dry)->excludes(clean)->excludes(resume);
  dry->excludes(clean);
  clean->excludes(resume);
  command->callback([options, &chosen] { chosen = [options] { return generate(*options); }; });
}

}  // namespace cohort::cli
