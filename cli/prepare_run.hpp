// Getting a run ready: continuing the stored one, or planning a new one, and checking that its limits let it run.
#pragma once

#include <optional>

#include "cli/command_context.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::cli {

class stop_handler;

/// A run that can be executed.
struct ready_run {
  std::optional<run_record> run;  ///< Nothing if there is nothing to do; the user has been told why.
  run_settings settings;
  model_info model;
  std::vector<model_info> fallbacks;
  spending carried;  ///< Spent on plans that this one replaces; counts against the budget.
};

/// Fails if `batch-state.json` is a newer program's, or tells of a run of ours whose ledger is gone: to begin anew
/// would pay twice. Writes nothing.
[[nodiscard]] expected<void> refuse_if_ledger_was_lost(const command_context& context,
                                                       const std::optional<run_record>& stored);

/// What the command line is laid over: the settings of the unfinished run, else those of a `batch-state.json` without a
/// ledger (another generator's), else the defaults. Writes and says nothing.
[[nodiscard]] expected<run_settings> settings_to_start_from(const command_context& context,
                                                            const std::optional<run_record>& stored);

/// Says so if the options choose files and the plan that goes on will not listen.
void warn_of_frozen_plan(const command_context& context);

/// Says that an unfinished run is replaced.
void tell_of_another_plan();

/// Continues the stored run if it is not finished and the options ask for no other plan; else plans anew.
/// `stop` is told while the project is read for a plan.
[[nodiscard]] expected<ready_run> make_ready(const command_context& context, state::ledger& ledger, stop_handler& stop);

/// Fails if the tests of this run cannot be written where they belong: better before they are paid for.
[[nodiscard]] expected<void> check_output(const command_context& context, const run_settings& settings,
                                          const std::optional<run_record>& stored);

/// Tells the user whose settings and counts a `batch-state.json` without a ledger has.
void tell_of_foreign_state(const command_context& context, const std::optional<run_record>& stored);

/// Fails at once, naming the least limit that works, if no waiting task fits under a limit.
[[nodiscard]] expected<void> check_limits(const state::ledger& ledger, const ready_run& ready);

}  // namespace cohort::cli
