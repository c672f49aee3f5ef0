// Writes delivered files again that are gone, or that lack what was delivered into them.
#pragma once

#include <string>
#include <vector>

#include "messages/task.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

/// Writes each delivered file that is missing, or lacks what was delivered into it, again from the stored answers and
/// returns the paths. What cannot be written is added to `troubles`. The caller holds the lock. A file that the user
/// changed is not touched: what it lacks is written under another name.
[[nodiscard]] expected<std::vector<std::string>> restore_files(const state::workspace& workspace, state::ledger& ledger,
                                                               const answer_handler& handler,
                                                               std::vector<state::audit_finding>& troubles);

}  // namespace cohort::app
