// Lays the layers of settings over each other and finds the models that they name.

#include "app/resolve_run.hpp"

#include <algorithm>

#include "base/files.hpp"
#include "settings/layers.hpp"
#include "state/batch_state_file.hpp"
#include "state/foreign_state.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

namespace {

expected<void> check_workers(const project_context& context, const run_settings& settings) {
  if (settings.concurrent > 0 || context.request.listen.address) return {};
  if (context.request.given.contains("concurrent"))
    return fail(ec::usage,
                "--concurrent 0: without workers of its own this run could do nothing; give at least 1, or let nodes "
                "join with --listen");
  return fail(ec::usage,
              "this run was started with --concurrent 0, so that only nodes work on it; give --listen as before, or "
              "--concurrent with at least 1");
}

/// `base`, a template if one is named, and what the user gave.
expected<run_settings> lay_over(const project_context& context, const run_settings& base) {
  auto settings = base;
  if (auto fine = check_choice(context.request.provider); !fine) return tl::unexpected{fine.error()};
  if (!context.request.preset.empty()) {
    const auto values = settings::load_template(config_directory() / "templates", context.request.preset);
    if (!values) return tl::unexpected{values.error()};
    if (auto laid = settings::apply(*values, settings); !laid) return tl::unexpected{laid.error()};
  }
  if (auto laid = settings::apply(context.request.given, settings); !laid) return tl::unexpected{laid.error()};
  if (auto fine = check_workers(context, settings); !fine) return tl::unexpected{fine.error()};
  return settings;
}

bool have_equal_settings(const run_settings& a, const run_settings& b) {
  const auto table = settings::setting_table();
  return std::all_of(table.begin(), table.end(),
                     [&](const auto& row) { return settings::value_of(row, a) == settings::value_of(row, b); });
}

}  // namespace

expected<stored_state> look_at_state(const state::ledger& ledger) {
  auto run = ledger.newest_run();
  if (!run) return tl::unexpected{run.error()};
  stored_state stored{std::move(*run), {}};
  if (!stored.run) return stored;
  const auto carried = ledger.spent_on_replaced_plans(stored.run->id);
  if (!carried) return tl::unexpected{carried.error()};
  stored.carried = *carried;
  return stored;
}

expected<stored_state> look_at_state(const project_context& context) {
  const auto ledger = state::open_ledger(context.workspace, state::ledger::access::read_only);
  if (!ledger && ledger.error().code == ec::state_missing) return stored_state{};
  if (!ledger) return tl::unexpected{ledger.error()};
  return look_at_state(*ledger);
}

expected<run_settings> settings_to_start_from(const project_context& context, const std::optional<run_record>& stored) {
  if (unfinished(stored)) return stored->settings;
  auto settings = context.defaults.settings;
  if (stored) return settings;
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view && view.error().code == ec::state_missing) return settings;
  if (!view) return tl::unexpected{view.error()};
  if (auto own = state::check_own_state(context.workspace); !own) return tl::unexpected{own.error()};
  settings.batch_size = view->settings.batch_size;
  settings.model = view->settings.model;
  settings.concurrent = std::max(1u, view->settings.concurrent);
  settings.timeout = view->settings.timeout;
  settings.min_complexity = std::max(1u, view->settings.min_complexity);
  settings.cost_limit = view->settings.cost_limit;
  return settings;
}

expected<resolved_run> resolve_run(const project_context& context, const stored_state& stored) {
  const auto base = settings_to_start_from(context, stored.run);
  if (!base) return tl::unexpected{base.error()};
  return resolve_over(context, *base, stored);
}

expected<resolved_run> resolve_over(const project_context& context, const run_settings& base,
                                    const stored_state& stored) {
  auto settings = lay_over(context, base);
  if (!settings) return tl::unexpected{settings.error()};
  const bool is_open = unfinished(stored.run);
  const bool keeps_model = is_open && stored.run->settings.model == settings->model;
  auto model = context.models.find(keeps_model ? stored.run->model_id : settings->model);
  if (!model) return tl::unexpected{model.error()};
  auto fallbacks = context.models.fallbacks_of(*model, settings->fallback);
  if (!fallbacks) return tl::unexpected{fallbacks.error()};
  const bool continues =
      is_open && model->id == stored.run->model_id && !settings::asks_for_another_plan(*settings, stored.run->settings);
  return resolved_run{std::move(*settings),
                      std::move(*model),
                      std::move(*fallbacks),
                      continues ? stored.carried : spending{},
                      continues,
                      is_open && !continues};
}

bool is_the_same_state(const stored_state& before, const stored_state& now) {
  if (!before.run || !now.run) return !before.run && !now.run;
  return before.run->id == now.run->id && before.run->batch_id == now.run->batch_id &&
         before.run->model_id == now.run->model_id && unfinished(before.run) == unfinished(now.run) &&
         have_equal_settings(before.run->settings, now.run->settings);
}

}  // namespace cohort::app
