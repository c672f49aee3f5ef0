// Which files of a project were generated: those that a ledger says were delivered, wherever --tests-dir put them.
#pragma once

#include <string>
#include <unordered_set>

#include "base/error.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

/// What `ledger` (null: the project has none) and the ledgers that --clean archived say was delivered into the project,
/// as paths relative to it. An archived ledger that cannot be read is passed over; the log names it. Writes nothing
/// else.
[[nodiscard]] expected<std::unordered_set<std::string>> generated_files(const workspace& workspace,
                                                                        const ledger* ledger);

/// The same for commands that only look: reads the project's ledger, if there is one.
[[nodiscard]] expected<std::unordered_set<std::string>> generated_files(const workspace& workspace);

}  // namespace cohort::state
