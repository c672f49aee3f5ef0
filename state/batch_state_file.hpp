// `batch-state.json`: the public view of a run, with the specification's fields and meaning, plus
// `schemaVersion` and `status`. Always rebuilt from the ledger, never the other way round.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "messages/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

/// The view's text for `run`, without a signature.
[[nodiscard]] std::string render_view(const run_record& run);

/// Writes the view of `run`, signed by this user, into the project's state folder.
[[nodiscard]] expected<void> write_view(const workspace& place, const run_record& run, durability when);

/// Signs the view that is there, whoever wrote it, after it was checked as by `read_view`.
[[nodiscard]] expected<void> sign_view(const workspace& place);

/// What a view file tells about an earlier run, be it the original generator's or one of ours whose ledger is gone.
struct imported_view {
  run_settings settings;
  nano_dollars spent;
  uint32_t completed_tasks = 0;
  uint32_t total_tasks = 0;
  wall_time started;
  bool ours = false;       ///< Written by this program, for a ledger.
  bool is_signed = false;  ///< By this user.
};

/// Reads and validates a view. Errors: `ec::state_corrupt` (torn, wrong types), `ec::state_newer`, `ec::state_missing`.
[[nodiscard]] expected<imported_view> read_view(const std::filesystem::path& file);

/// What the file at `file` says otherwise than `run` (times aside), one sentence each; also that it cannot be read.
[[nodiscard]] std::vector<std::string> view_differences(const std::filesystem::path& file, const run_record& run);

/// True if the file at `file` says the same as `run` (times aside).
[[nodiscard]] bool view_agrees(const std::filesystem::path& file, const run_record& run);

}  // namespace cohort::state
