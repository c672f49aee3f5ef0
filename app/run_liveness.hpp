// How a run stands. What is stored says "running" also after a kill; whether that is so, only the lock knows.
#pragma once

#include "state/ledger/ledger.hpp"
#include "state/run_lock.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

/// True if `run` says that it is running and nobody holds the lock. To be sure, ask for the holder after reading `run`
/// and also before: a run may begin or end meanwhile.
[[nodiscard]] bool was_killed(const run_record& run, const expected<state::lock_holder>& holder) noexcept;

/// For whoever holds the lock and works on no run: one that still says "running" is interrupted, in the ledger and in
/// `batch-state.json`. True if there was one.
[[nodiscard]] expected<bool> mark_killed_run_interrupted(const state::workspace& workspace, state::ledger& ledger);

}  // namespace cohort::app
