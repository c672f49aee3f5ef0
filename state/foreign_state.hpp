// State that this user did not sign: it is not used, it can be looked at, and it can be taken over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "state/batch_state_file.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

/// `ec::state_untrusted` if a run would begin from a ledger, or without one from a `batch-state.json`, that this user
/// did not sign. Other troubles are not told here. Writes nothing.
[[nodiscard]] expected<void> check_own_state(const workspace& workspace);

/// A folder that a ledger's runs write tests into.
struct named_folder {
  std::filesystem::path path;  ///< Absolute.
  bool in_project = true;
};

/// What foreign state would make a run do.
struct foreign_state {
  std::string made_for;  ///< The project that the ledger names; empty without a ledger.
  uint32_t runs = 0;
  std::optional<run_record> newest;  ///< With its settings and spending.
  spending of_all_runs;
  std::vector<named_folder> folders;  ///< The first twenty.
  std::vector<std::string>
      files_outside;   ///< The first ten that would count as this program's, outside of the project.
  uint64_t files = 0;  ///< Recorded as delivered.
  uint64_t stored_answers = 0;
  std::optional<imported_batch_state> view;  ///< Only without a ledger: then its settings are taken over.
};

/// Reads it through all the checks of taking over. `ec::state_missing` if there is nothing that needs trust; else as
/// `import_ledger` and `read_batch_state`. Writes nothing in the project.
[[nodiscard]] expected<foreign_state> look_at_foreign_state(const workspace& workspace);

/// Signs it. The ledger as it was goes to the archive, whose folder is returned; nothing without a ledger. The caller
/// holds the lock.
[[nodiscard]] expected<std::optional<std::filesystem::path>> take_over_state(const workspace& workspace);

}  // namespace cohort::state
