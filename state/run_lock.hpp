// The run lock: one run at a time on one project. Held by an open, locked file, so that it ends with the
// process; what it says about the holder is only told to people.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace cohort::state {

/// Who holds the lock.
struct lock_holder {
  int64_t process = 0;
  std::string host;
  std::string command;  ///< Never holds a credential: options and project only.
  wall_time since;
  std::string listens;  ///< "host:port" if nodes may join, else empty.
  std::string cluster;  ///< Absolute folder of the certificates, if nodes may join.
};

/// Owns the lock until destroyed. Movable.
class run_lock {
 public:
  /// Errors: `ec::state_locked` with who runs, since when and how to watch; `ec::io`, `ec::permission_denied`,
  /// `ec::disk_full`.
  [[nodiscard]] static expected<run_lock> acquire(const std::filesystem::path& file, const lock_holder& holder);

  run_lock(run_lock&& other) noexcept;
  run_lock& operator=(run_lock&& other) noexcept;
  run_lock(const run_lock&) = delete;
  run_lock& operator=(const run_lock&) = delete;
  ~run_lock();

 private:
  run_lock(int descriptor, std::filesystem::path file) noexcept;
  void release() noexcept;
  int descriptor_ = -1;
  int second_ = -1;  ///< In the user's own folder: holds when someone deletes the lock file of a run at work.
  std::filesystem::path file_;
};

/// Who holds the lock at `file` right now; `ec::state_missing` if nobody does. Writes nothing.
[[nodiscard]] expected<lock_holder> current_holder(const std::filesystem::path& file);

}  // namespace cohort::state
