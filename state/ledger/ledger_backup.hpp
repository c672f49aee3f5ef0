// Copies of ledgers in the user's own state folder, so that neither a checkout nor a deletion in the project takes away
// what was paid for. One copy for each ledger of each project folder: `ledgers/<digest of the project's path>/<id>.db`.
// A copy is never the ledger that a run writes: it is made from that one, whole, and put in its place by a rename.
#pragma once

#include <atomic>

#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::state {

struct ledger_backup {
  std::filesystem::path file;
  std::string ledger_id;
  uint64_t commits = 0;      ///< Grows with each change of a ledger.
  bool same_folder = false;  ///< Made in the very folder that stands at the project's path now, not in an earlier one.
};

/// The copies of ledgers of the project at this path that this user signed, the newest first.
[[nodiscard]] std::vector<ledger_backup> backups_of(const workspace& workspace);

/// Puts the copy in the place of the project's ledger, where nothing may stand.
[[nodiscard]] expected<void> put_back(const workspace& workspace, const ledger_backup& backup);

/// Moves the copies of this project's ledgers into its archive, but for those that `archived` holds already.
[[nodiscard]] expected<void> archive_backups(const workspace& workspace, const std::filesystem::path& archived);

/// Opens the project's ledger as `ledger::open` does. A ledger that is gone, or older than its copy, because something
/// in the project replaced or deleted it, is put back from the copy (`read_write`; the older one goes to the archive)
/// or read from the copy (`read_only`, which writes nothing). `note` then says so. With `read_write` the caller holds
/// the lock.
[[nodiscard]] expected<ledger> open_ledger(const workspace& workspace, ledger::access mode,
                                           std::string* note = nullptr);

/// True for what `restore_own_ledger` mends: the ledger is gone, damaged, or not this user's.
[[nodiscard]] bool is_replaceable(ec code) noexcept;

/// `problem`; if it is of that kind and there is a copy of a ledger of this user, the way back to that one is added.
[[nodiscard]] error with_way_back(const workspace& workspace, error problem);

/// Puts the newest copy in the place of a ledger that is gone, damaged, or that this user did not sign, which goes to
/// the archive. False if there is no copy or the ledger is sound. The caller holds the lock.
[[nodiscard]] expected<bool> restore_own_ledger(const workspace& workspace);

/// Makes the copies while a run is at work: not more often than each ten seconds, and for at most a twentieth of the
/// time.
class backup_writer {
 public:
  /// `ledger` must outlive the writer.
  explicit backup_writer(const ledger& ledger);
  backup_writer(const backup_writer&) = delete;
  backup_writer& operator=(const backup_writer&) = delete;
  ~backup_writer() { wait(); }

  /// Starts a copy on a thread of its own if one is due and none is under way.
  void begin_if_due();

 private:
  void wait();

  const ledger& ledger_;
  std::thread thread_;
  std::atomic<bool> busy_{false};
  std::atomic<steady_time::rep> next_{0};
};

}  // namespace cohort::state
