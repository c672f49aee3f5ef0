// `cohort verify`: what there is to check about a project's state, as values. Reads only.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "claude/api/catalog.hpp"
#include "messages/task.hpp"
#include "state/ledger/ledger.hpp"
#include "state/run_lock.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

/// What was looked at and what does not agree.
struct verification {
  std::optional<state::lock_holder> active;  ///< A run is under way; its view is then not compared.
  std::optional<run_record> run;             ///< The newest one.
  bool killed = false;                       ///< It says that it is running, and nobody holds the lock.
  state::ledger_audit audit;
  uint64_t intact_files = 0;
  uint64_t archives = 0;  ///< That were checked.
  bool view_compared = false;
  std::vector<state::audit_finding> findings;
  std::vector<std::string> restored;  ///< Paths.
};

struct verification_options {
  bool archives = false;
};

/// Checks ledger, delivered files, view and, if wished, archives. Errors: those of opening the ledger.
[[nodiscard]] expected<verification> verify_project(const state::workspace& workspace, const claude::catalog& models,
                                                    verification_options options);

}  // namespace cohort::app
