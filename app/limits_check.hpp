// Whether the limits of a run let any of its tasks run.
#pragma once

#include "app/resolve_run.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::app {

/// Fails at once, naming the least limit that works, if no waiting task fits under a limit.
[[nodiscard]] expected<void> check_limits(const state::ledger& ledger, const run_record& run, const resolved_run& how);

}  // namespace cohort::app
