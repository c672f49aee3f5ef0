// Gets a run ready: continues the stored one, or plans a new one.
#pragma once

#include <optional>

#include "app/plan_builder.hpp"
#include "app/resolve_run.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::app {

class stop_handler;

/// A run that can be executed.
struct ready_run {
  std::optional<run_record> run;  ///< Nothing if there is nothing to do; the user has been told why.
  resolved_run how;
};

/// Fails if `batch-state.json` is a newer program's, or tells of a run of ours whose ledger is gone: to begin anew
/// would pay twice. Writes nothing.
[[nodiscard]] expected<void> refuse_if_ledger_was_lost(const project_context& context,
                                                       const std::optional<run_record>& stored);

/// Says so if the options choose files and the plan that goes on will not listen.
void warn_of_frozen_plan(const project_context& context, notices& out);

/// Says that an unfinished run is replaced.
void tell_of_another_plan(notices& out);

/// Tells the user whose settings and counts a `batch-state.json` without a ledger has.
void tell_of_foreign_state(const project_context& context, const std::optional<run_record>& stored, notices& out);

/// With the lock held: continues the stored run as `how` says, or plans anew. `stop` is told while the project is read
/// for a plan.
[[nodiscard]] expected<ready_run> make_ready(const project_context& context, state::ledger& ledger, stored_state stored,
                                             resolved_run how, stop_handler& stop, notices& out);

}  // namespace cohort::app
