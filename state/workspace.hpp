// The folder `.claude-testing/` of a project: where each thing lies.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/folder.hpp"

namespace cohort::state {

struct workspace {
  std::filesystem::path project;  ///< Absolute, canonical.

  [[nodiscard]] std::filesystem::path root() const { return project / ".claude-testing"; }
  [[nodiscard]] std::filesystem::path ledger_file() const { return root() / "ledger.db"; }
  [[nodiscard]] std::filesystem::path batch_state_path() const { return root() / "batch-state.json"; }
  [[nodiscard]] std::filesystem::path lock_file() const { return root() / "lock"; }
  [[nodiscard]] std::filesystem::path log_file() const { return root() / "logs" / "cohort.log"; }
  [[nodiscard]] std::filesystem::path cache_file() const { return root() / "cache" / "survey.bin"; }
  [[nodiscard]] std::filesystem::path nodes_file() const { return root() / "nodes.json"; }
  [[nodiscard]] std::filesystem::path ballast_file() const { return root() / "ballast"; }
  [[nodiscard]] std::filesystem::path unusable_folder() const { return root() / "unusable"; }
  /// What the model said in an answer that was paid for, as far as it can be told, and could not be used.
  [[nodiscard]] std::filesystem::path unusable_file(std::string_view task, uint32_t attempt) const {
    return unusable_folder() / (std::string{task} + "-" + std::to_string(attempt) + ".txt");
  }
  [[nodiscard]] std::filesystem::path default_output() const { return root() / "tests"; }
};

/// Errors: `ec::not_found` if `project` is no directory, `ec::permission_denied`, also if `.claude-testing` or
/// something of ours in it is a symbolic link: none is followed there.
[[nodiscard]] expected<workspace> open_workspace(const std::filesystem::path& project);

/// The folder `.claude-testing/`, for reading and writing by name below it. `ec::not_found` if there is none. A link
/// that came there since `open_workspace` is not followed: reading it fails, and writing replaces it.
[[nodiscard]] expected<folder> open_state(const workspace& workspace);

/// Creates `.claude-testing/` with a `.gitignore` of its own that keeps state, logs and locks out of git but not the
/// tests.
[[nodiscard]] expected<void> prepare(const workspace& workspace);

/// Where a generated file goes: `output / relative`. Besides what `join_inside` refuses, an `output` in the project
/// must not be a way out of it, whatever became of it while the run was at work.
[[nodiscard]] expected<std::filesystem::path> result_path(const workspace& workspace,
                                                          const std::filesystem::path& output,
                                                          std::string_view relative);

/// False for a folder of git's, or one of our own state, as the folder for tests: what is written there could act.
[[nodiscard]] bool may_hold_tests(const std::filesystem::path& output);

/// The same for a `file` that was delivered before, into `output` or elsewhere in the project.
[[nodiscard]] expected<std::filesystem::path> known_path(const workspace& workspace,
                                                         const std::filesystem::path& output,
                                                         const std::filesystem::path& file);

/// Moves ledger, view and cache into `.claude-testing/archive/<time>/`; generated files stay where they are.
/// Returns the archive folder. The caller holds the lock.
[[nodiscard]] expected<std::filesystem::path> archive_state(const workspace& workspace);

/// Moves the ledger alone into a new folder of the archive and returns that folder.
[[nodiscard]] expected<std::filesystem::path> archive_ledger(const workspace& workspace);

/// A new, empty folder of the archive.
[[nodiscard]] expected<folder> make_archive(const workspace& workspace);

/// The ledgers that `archive_state` put aside, oldest first.
[[nodiscard]] std::vector<std::filesystem::path> archived_ledgers(const workspace& workspace);

/// Moves a `batch-state.json` that is not ours into a new folder of the archive and returns that folder.
[[nodiscard]] expected<std::filesystem::path> archive_batch_state(const workspace& workspace);

/// Keeps `bytes` of disk in reserve, so that paid answers can still be stored when the disk is full.
[[nodiscard]] expected<void> reserve_ballast(const workspace& workspace, uint64_t bytes);
void release_ballast(const workspace& workspace) noexcept;

}  // namespace cohort::state
