// A ledger that was moved or deleted while it was open. SQLite goes on writing into the open file, which nobody could
// find again after a deletion; so it is written to its place once more, whole, and over nothing.

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/folder.hpp"
#include "state/ledger/ledger_impl.hpp"
#include "state/sqlite/file_check.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

ledger_location ledger::whereabouts() const noexcept {
  int moved = 0;
  auto* handle = self_->file.database().getHandle();
  if (::sqlite3_file_control(handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || moved == 0)
    return ledger_location::there;
  return self_->file.path_now().empty() ? ledger_location::deleted : ledger_location::moved;
}

fs::path ledger::path_now() const { return self_->file.path_now(); }

expected<void> ledger_file::copy_to(const fs::path& target) const {
  if (auto made = make_empty_draft(target); !made) return made;
  return guarded(database_.get(), file_, "copy the ledger", [&]() -> expected<void> {
    SQLite::Statement into{*database_, "VACUUM INTO ?"};
    into.bindNoCopy(1, target.native());
    into.exec();
    SQLite::Database copy{target.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
    define_signature(copy.getHandle(), *ledger_key_);
    copy.exec("PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL");
    write_meta(copy, "session", "");
    return {};
  });
}

fs::path ledger_file::path_now() const {
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator{"/proc/self/fd", failed}) {
    struct stat info {};
    if (::stat(entry.path().c_str(), &info) != 0 || info.st_nlink == 0) continue;
    if (std::pair<uint64_t, uint64_t>{info.st_dev, info.st_ino} == inode_)
      return fs::read_symlink(entry.path(), failed);
  }
  return {};
}

expected<fs::path> ledger::put_back() {
  const auto& file = self_->file.file();
  const fs::path draft = file.native() + ".new";
  if (auto made = make_directories(file.parent_path()); !made) return tl::unexpected{made.error()};
  auto copied = self_->guard("put the ledger back", [&]() -> expected<void> { return self_->file.copy_to(draft); });
  if (!copied) return tl::unexpected{copied.error()};
  auto time = to_iso8601(wall_now());
  for (auto& c : time)
    if (c == ':' || c == '.') c = '-';
  for (const auto& target : {file, file.parent_path() / fmt::format("ledger-rescued-{}.db", time)}) {
    if (::renameat2(AT_FDCWD, draft.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
      if (auto synced = sync_file(target); !synced) return tl::unexpected{synced.error()};
      return target;
    }
    if (errno != EEXIST) break;
  }
  return tl::unexpected{system_error(errno, "put the ledger back to", file)};
}

}  // namespace cohort::state
