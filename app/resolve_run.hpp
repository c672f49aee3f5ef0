// What a run is to be: settings, models, and whether the stored run goes on. Decided here alone, for runs, dry runs
// and doctor.
#pragma once

#include <optional>
#include <vector>

#include "app/project_context.hpp"

namespace cohort::app {

/// What is stored about runs when a command looks.
struct stored_state {
  std::optional<run_record> run;  ///< The newest one.
  spending carried;               ///< Spent on plans that it replaced; counts against its budget.
};

struct resolved_run {
  run_settings settings;
  model_info model;
  std::vector<model_info> fallbacks;
  spending carried;        ///< Of a run that continues.
  bool continues = false;  ///< The stored run goes on with its plan.
  bool replaces = false;   ///< The stored run is not finished, and another plan takes its place.
};

/// From the ledger; nothing if there is none. Writes nothing.
[[nodiscard]] expected<stored_state> look_at_state(const project_context& context);
[[nodiscard]] expected<stored_state> look_at_state(const state::ledger& ledger);

/// What templates and command line are laid over: the settings of the unfinished run, else those of a
/// `batch-state.json` without a ledger (another generator's), else the defaults. Writes and says nothing.
[[nodiscard]] expected<run_settings> settings_to_start_from(const project_context& context,
                                                            const std::optional<run_record>& stored);

/// `ec::usage` names the option that is wrong; `ec::model_unknown`. Only an unfinished run keeps its stored settings
/// and the model that it was planned for, even if the alias means another one by now.
[[nodiscard]] expected<resolved_run> resolve_run(const project_context& context, const stored_state& stored);

/// The same over known settings.
[[nodiscard]] expected<resolved_run> resolve_over(const project_context& context, const run_settings& base,
                                                  const stored_state& stored);

/// True if both resolve to the same: nobody changed what is stored between the two looks.
[[nodiscard]] bool is_the_same_state(const stored_state& before, const stored_state& now);

}  // namespace cohort::app
