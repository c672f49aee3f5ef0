// Keeps a node's answers on the node's disk until the coordinator has acknowledged them: one file for each answer,
// checked by its digest, synced before the answer is sent on. It never holds a key or a prompt. Only this user can read
// it, and nothing is written outside of the spool's own folder, because what names an answer comes from a coordinator.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/folder.hpp"
#include "messages/request.hpp"
#include "messages/task_id.hpp"

namespace cohort::cluster {

/// An answer with the identity of its attempt. `ledger_id` is the ledger's identity, `run` a run in that ledger.
struct spooled_answer {
  std::string ledger_id;
  int64_t run = 0;
  task_id task;
  uint32_t attempt = 0;
  uint64_t lease = 0;
  uint32_t sends = 0;
  milliseconds took{0};
  completion answer;
};

/// What a spool held when it was opened.
struct spool_contents {
  std::vector<spooled_answer> answers;
  std::vector<std::filesystem::path> damaged;  ///< Torn or altered; renamed and left in the folder.
};

class spool {
 public:
  /// Opens `folder` for this process alone (made with mode 0700). Errors: `ec::state_locked` if another node uses it,
  /// those of the disk.
  [[nodiscard]] static expected<spool> open(const std::filesystem::path& where);

  /// Stays the same over restarts, so that a coordinator recognises a node that comes back.
  [[nodiscard]] const std::string& node_id() const noexcept { return node_id_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return folder_.path(); }

  [[nodiscard]] expected<spool_contents> load() const;

  /// On disk when it returns. `ec::usage` if the ledger's identity does not have the form that ledgers use.
  [[nodiscard]] expected<void> keep(const spooled_answer& answer) const;

  /// Removes the answer's file; no error if there is none.
  [[nodiscard]] expected<void> forget(const spooled_answer& answer) const;

 private:
  spool(folder folder, descriptor lock, std::string node_id)
      : folder_(std::move(folder)), lock_(std::move(lock)), node_id_(std::move(node_id)) {}
  folder folder_;
  descriptor lock_;
  std::string node_id_;
};

/// The folder for a node of this name: below XDG_STATE_HOME, or ~/.local/state.
[[nodiscard]] expected<std::filesystem::path> default_spool_folder(const std::string& name);

}  // namespace cohort::cluster
