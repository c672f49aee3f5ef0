// Running, or killed.

#include "app/run_liveness.hpp"

#include "base/files.hpp"
#include "state/batch_state_file.hpp"

namespace cohort::app {

bool was_killed(const run_record& run, const expected<state::lock_holder>& holder) noexcept {
  return run.status == run_status::running && !holder && holder.error().code == ec::state_missing;
}

expected<bool> mark_killed_run_interrupted(const state::workspace& workspace, state::ledger& ledger) {
  const auto run = ledger.newest_run();
  if (!run) return tl::unexpected{run.error()};
  if (!*run || (*run)->status != run_status::running) return false;
  if (auto stored = ledger.update_run((*run)->id, (*run)->settings, run_status::interrupted); !stored)
    return tl::unexpected{stored.error()};
  const auto settled = ledger.newest_run();
  if (!settled) return tl::unexpected{settled.error()};
  if (auto shown = state::write_batch_state(workspace, **settled, durability::now); !shown)
    return tl::unexpected{shown.error()};
  return true;
}

}  // namespace cohort::app
