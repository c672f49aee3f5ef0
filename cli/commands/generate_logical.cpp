// `cohort generate-logical PROJECT`: everything in one go, with the same engine.

#include <memory>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/commands/generate.hpp"

namespace cohort::cli {

void add_generate_logical(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<generate_options>();
  options->request.batched = false;
  auto* command = app.add_subcommand("generate-logical", "Generate all tests in one go");
  add_generate_options(*command, *options);
  auto batch_mode = std::make_shared<bool>(false);
  auto* mode = command->add_flag("--batch-mode", *batch_mode, "Work in batches, one after the other")->group("Batches");
  add_setting(*command, options->request, "batch_size", "Batches")->needs(mode);
  auto* dry = command->add_flag("--dry-run", options->dry_run, "Show what would be done; writes nothing, needs no key")
                  ->group("State");
  auto* stats = command->add_flag("--stats", options->stats, "Show how far the run is; writes nothing")->group("State");
  command->add_flag("--clean", options->clean, "Reset the state and exit; the old ledger is kept in an archive")
      ->group("State")
      ->excludes(dry)
      ->excludes(stats);
  stats->excludes(dry);
  command->callback([options, batch_mode, &chosen] {
    if (*batch_mode) {
      options->request.given["parallel_batches"] = "1";
    } else {
      // Internally the work still goes through the ledger in portions; the user need not see them.
      options->request.given["batch_size"] = "50";
      options->request.given["parallel_batches"] = "auto";
      options->request.shows_batches = false;
    }
    chosen = [options] { return generate(*options); };
  });
}

}  // namespace cohort::cli
