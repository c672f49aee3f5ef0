// `batch-state.json`: the public view of a run, with the specification's fields and meaning, plus
// `schemaVersion` and `status`. Always rebuilt from the ledger, never the other way round.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "messages/run.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

/// The view's text for `run`, without a signature.
[[nodiscard]] std::string render_batch_state(const run_record& run);

/// Writes the view of `run`, signed by this user, into the project's state folder.
[[nodiscard]] expected<void> write_batch_state(const workspace& workspace, const run_record& run, durability when);

/// Signs the view that is there, whoever wrote it, after it was checked as by `read_batch_state`.
[[nodiscard]] expected<void> sign_batch_state(const workspace& workspace);

/// What a view file tells about an earlier run, be it the original generator's or one of ours whose ledger is gone.
struct imported_batch_state {
  run_settings settings;
  nano_dollars spent;
  uint32_t completed_tasks = 0;
  uint32_t total_tasks = 0;
  wall_time started;
  bool ours = false;       ///< Written by this program, for a ledger.
  bool is_signed = false;  ///< By this user.
};

/// Reads and validates a view. Errors: `ec::state_corrupt` (torn, wrong types), `ec::state_newer`, `ec::state_missing`.
[[nodiscard]] expected<imported_batch_state> read_batch_state(const std::filesystem::path& file);

/// What the file at `file` says otherwise than `run` (times aside), one sentence each; also that it cannot be read.
[[nodiscard]] std::vector<std::string> batch_state_differences(const std::filesystem::path& file,
                                                               const run_record& run);

/// True if the file at `file` says the same as `run` (times aside).
[[nodiscard]] bool batch_state_agrees(const std::filesystem::path& file, const run_record& run);

}  // namespace cohort::state
