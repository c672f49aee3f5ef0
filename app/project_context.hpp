// A project and what every command on it needs to know before it does anything.
#pragma once

#include <optional>

#include "app/notices.hpp"
#include "app/run_defaults.hpp"
#include "app/run_request.hpp"
#include "claude/api/catalog.hpp"
#include "planning/sizing/planning_defaults.hpp"
#include "state/ledger/ledger.hpp"
#include "state/run_lock.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

struct project_context {
  run_request request;
  state::workspace workspace;
  run_defaults defaults;
  planning::planning_defaults planning;
  claude::catalog models;
};

[[nodiscard]] expected<project_context> make_context(const run_request& request);

/// Also true for a run that was killed between its last task and its end: it still has a state to close.
[[nodiscard]] bool unfinished(const std::optional<run_record>& run);

/// Where the tests of a run with these settings belong. Absolute.
[[nodiscard]] std::filesystem::path output_folder(const project_context& context, const run_settings& settings);

/// Fails if the tests of this run cannot be written where they belong: better before they are paid for.
[[nodiscard]] expected<void> check_output(const project_context& context, const run_settings& settings,
                                          const std::optional<run_record>& stored);

/// This process as the holder of a lock; `command` is shown to who waits for it.
[[nodiscard]] state::lock_holder holder_of(std::string command);
[[nodiscard]] state::lock_holder this_process(const project_context& context);

/// `open_ledger`, with a warning if the ledger had to be read or put back from its copy.
[[nodiscard]] expected<state::ledger> open_and_tell(const state::workspace& workspace, state::ledger::access mode,
                                                    notices& out);

}  // namespace cohort::app
