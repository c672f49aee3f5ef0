// What every form of a generating command needs to know before it does anything.
#pragma once

#include <optional>
#include <vector>

#include "claude/api/catalog.hpp"
#include "cli/options.hpp"
#include "cli/project_plan.hpp"
#include "cli/run_defaults.hpp"
#include "planning/sizing/batch_sizing.hpp"
#include "planning/sizing/planning_defaults.hpp"
#include "state/ledger/ledger.hpp"
#include "state/run_lock.hpp"
#include "state/workspace.hpp"

namespace cohort::cli {

struct command_context {
  generate_options options;
  state::workspace workspace;
  run_defaults defaults;
  planning::planning_defaults planning;
  claude::catalog models;
};

[[nodiscard]] expected<command_context> make_context(const generate_options& options);

/// The newest run, or nothing if there is no ledger. Writes nothing.
[[nodiscard]] expected<std::optional<run_record>> stored_run(const command_context& context);

/// Also true for a run that was killed between its last task and its end: it still has a state to close.
[[nodiscard]] bool unfinished(const std::optional<run_record>& run);

/// Absolute.
[[nodiscard]] std::filesystem::path output_folder(const command_context& context, const run_settings& settings);

[[nodiscard]] plan_request planning_of(const command_context& context, const run_settings& settings,
                                       const model_info& model, bool write_cache);

/// Batches of `size`; 0: sized by the work in them.
[[nodiscard]] expected<std::vector<planning::batch_range>> cut(const command_context& context,
                                                               const std::vector<planning::task_weight>& tasks,
                                                               uint32_t size);

/// The model that `settings` name. A run that continues under the same name keeps the model it was planned for, even
/// if the alias means another one by now.
[[nodiscard]] expected<model_info> model_for(const command_context& context, const run_settings& settings,
                                             const run_record* continued);

/// True if the settings ask for another plan than the one that `stored` is about.
[[nodiscard]] bool needs_another_plan(const command_context& context, const run_settings& settings,
                                      const run_record& stored);

/// This process as the holder of a lock; `command` is shown to who waits for it.
[[nodiscard]] state::lock_holder holder_of(std::string command);

/// `open_ledger`, with a warning if the ledger had to be read or put back from its copy.
[[nodiscard]] expected<state::ledger> open_and_tell(const state::workspace& workspace, state::ledger::access mode);

[[nodiscard]] state::lock_holder this_process(const command_context& context);

}  // namespace cohort::cli
