// Finds, compares, writes and puts back the copies.

#include "state/ledger/ledger_backup.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/text.hpp"
#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::seconds shortest_interval{10};
constexpr int share_of_time = 20;

fs::path folder_name(const fs::path& project) {
  return fs::path{"ledgers"} / to_hex(sha256(project.native())).substr(0, 32);
}

/// Tells a folder from an earlier one of the same path: a folder that was made anew has another time of birth.
std::string identity_of_folder(const fs::path& path) {
  struct statx info {};
  if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &info) != 0) return {};
  return fmt::format("{}:{}:{}:{}.{}", info.stx_dev_major, info.stx_dev_minor, info.stx_ino, info.stx_btime.tv_sec,
                     info.stx_btime.tv_nsec);
}

/// A whole copy through a second connection, so that it may run beside the writer.
expected<void> copy_pages(const fs::path& from, const fs::path& to, const signing_key& ledger_key,
                          const std::string& folder) {
  return guarded(nullptr, from, "copy the ledger", [&]() -> expected<void> {
    if (auto made = create_ledger_file(to); !made) return made;
    SQLite::Database target{to.native(), SQLite::OPEN_READWRITE | SQLite::OPEN_NOMUTEX};
    {
      SQLite::Database source{from.native(), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX, 5000};
      auto* copying = ::sqlite3_backup_init(target.getHandle(), "main", source.getHandle(), "main");
      if (copying == nullptr) throw SQLite::Exception{target.getHandle()};
      const int outcome = ::sqlite3_backup_step(copying, -1);
      ::sqlite3_backup_finish(copying);
      if (outcome != SQLITE_DONE) throw SQLite::Exception{"the copy stopped", outcome};
    }
    define_signature(target.getHandle(), ledger_key);
    write_meta(target, "session", "");
    write_meta(target, "folder", folder);
    return {};
  });
}

expected<ledger_marks> marks_of(const ledger_file& file) {
  return guarded(&file.database(), file.file(), "read the ledger's identity", [&]() -> expected<ledger_marks> {
    ledger_marks marks{file.ledger_id(), file.meta("folder"), 0};
    const auto commits = file.meta("commits");
    std::from_chars(commits.data(), commits.data() + commits.size(), marks.commits);
    return marks;
  });
}

std::optional<ledger_backup> read_backup(const fs::path& file, const signing_key& key, const std::string& folder) {
  const auto copy = ledger_file::peek(file, key);
  const auto marks = copy ? marks_of(*copy) : expected<ledger_marks>{tl::unexpected{copy.error()}};
  if (!marks) {
    log_warning("the copy of a ledger '{}' is not usable: {}", file.string(), marks.error().message);
    return std::nullopt;
  }
  return ledger_backup{file, marks->ledger_id, marks->commits, !folder.empty() && marks->folder == folder};
}

expected<void> copy_bytes(const fs::path& from, const folder& to, const char* name) {
  const descriptor source{::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
  if (!source.valid()) return tl::unexpected{system_error(errno, "open", from)};
  (void)to.remove(name);
  const auto target = to.open_file(name, O_WRONLY | O_CREAT | O_EXCL);
  if (!target) return tl::unexpected{target.error()};
  ssize_t moved = 1;
  while (moved > 0 || (moved < 0 && errno == EINTR))
    moved = ::sendfile(target->get(), source.get(), nullptr, size_t{1} << 30);
  if (moved < 0 || ::fsync(target->get()) != 0) return tl::unexpected{system_error(errno, "write", to.path() / name)};
  return {};
}

}  // namespace

expected<ledger_marks> ledger::marks() const { return marks_of(self_->file); }

expected<void> ledger::write_backup() const {
  const auto user_state = make_user_state();
  if (!user_state) return tl::unexpected{user_state.error()};
  const auto folder = user_state->make_sub(folder_name(self_->project), cohort::access::own);
  if (!folder) return tl::unexpected{folder.error()};
  const auto& id = self_->file.ledger_id();
  const auto draft = fmt::format("{}.db.new", id);
  const auto final_name = fmt::format("{}.db", id);
  auto copied = copy_pages(self_->file.file(), folder->path() / draft, self_->file.ledger_key(),
                           identity_of_folder(self_->project));
  if (copied)
    if (const auto file = folder->open_file(draft, O_RDONLY); !file || ::fsync(file->get()) != 0)
      copied = tl::unexpected{system_error(errno, "sync", folder->path() / draft)};
  if (copied && ::renameat(folder->fd(), draft.c_str(), folder->fd(), final_name.c_str()) != 0)
    copied = tl::unexpected{system_error(errno, "rename", folder->path() / draft)};
  if (copied) return folder->sync();
  for (const auto* ending : {"", "-wal", "-shm"}) (void)folder->remove(draft + ending);
  return copied;
}

std::vector<ledger_backup> backups_of(const workspace& workspace) {
  std::vector<ledger_backup> found;
  const auto user_state = open_user_state();
  const auto key = signing_key::load();
  if (!user_state || !key || !*key) return found;
  const auto folder = user_state->sub(folder_name(workspace.project));
  if (!folder) return found;
  const auto identity = identity_of_folder(workspace.project);
  for (const auto& name : folder->names(1000)) {
    if (!name.ends_with(".db") || folder->kind_of(name) != file_kind::regular) continue;
    if (auto backup = read_backup(folder->path() / name, **key, identity)) found.push_back(std::move(*backup));
  }
  std::error_code ignored;
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) {
    return fs::last_write_time(a.file, ignored) > fs::last_write_time(b.file, ignored);
  });
  return found;
}

expected<void> put_back(const workspace& workspace, const ledger_backup& backup) {
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  if (auto copied = copy_bytes(backup.file, *state, "ledger.db.new"); !copied) return copied;
  if (auto moved = state->move("ledger.db.new", "ledger.db"); !moved) return moved;
  return state->sync();
}

expected<void> archive_backups(const workspace& workspace, const fs::path& archived) {
  std::optional<ledger_marks> kept;
  if (const auto ledger = ledger::open(archived / "ledger.db", workspace.project, ledger::access::read_only))
    if (auto marks = ledger->marks()) kept = std::move(*marks);
  for (const auto& backup : backups_of(workspace)) {
    const bool held = kept && kept->ledger_id == backup.ledger_id && kept->commits >= backup.commits;
    if (!held) {
      auto folder = make_archive(workspace);
      if (!folder) return tl::unexpected{folder.error()};
      if (auto copied = copy_bytes(backup.file, *folder, "ledger.db"); !copied) return copied;
    }
    if (::unlink(backup.file.c_str()) != 0) return tl::unexpected{system_error(errno, "remove", backup.file)};
  }
  return {};
}

namespace {

/// The copy that replaces a ledger that is gone.
std::optional<ledger_backup> copy_of_deleted(const workspace& workspace) {
  for (auto& backup : backups_of(workspace))
    if (backup.same_folder) return std::move(backup);
  return std::nullopt;
}

/// The copy that is newer than the ledger itself. The copy that was made last in this folder is that of the ledger that
/// was used last: another one in its place, also one of this user, is an older one that came back.
std::optional<ledger_backup> newer_copy(const workspace& workspace, const ledger& ledger) {
  const auto marks = ledger.marks();
  if (!marks) return std::nullopt;
  for (auto& backup : backups_of(workspace)) {
    if (backup.ledger_id == marks->ledger_id && backup.commits > marks->commits) return std::move(backup);
    if (backup.same_folder)
      return backup.ledger_id == marks->ledger_id ? std::nullopt : std::optional{std::move(backup)};
  }
  return std::nullopt;
}

constexpr std::string_view is_gone = "the ledger of this project is gone";
constexpr std::string_view is_older =
    "the ledger of this project is not the one that was used last, perhaps because of a checkout";

void tell(std::string* note, std::string_view what, std::string_view then, const ledger_backup& copy) {
  if (note == nullptr) return;
  *note = fmt::format("{}; {} the copy that is kept in '{}'", what, then,
                      printable(copy.file.parent_path().native(), 1000));
}

}  // namespace

bool is_replaceable(ec code) noexcept {
  return code == ec::state_untrusted || code == ec::state_missing || code == ec::state_corrupt;
}

error with_way_back(const workspace& workspace, error problem) {
  if (is_replaceable(problem.code) && !backups_of(workspace).empty())
    problem.message += fmt::format(
        ". A copy of your own ledger of this project is kept: `cohort verify --restore '{}'` puts it back and moves "
        "this "
        "one to the archive",
        printable(workspace.project.native(), 1000));
  return problem;
}

namespace {

expected<ledger> read_ledger(const workspace& workspace, std::string* note) {
  auto ledger = ledger::open(workspace.ledger_file(), workspace.project, ledger::access::read_only);
  if (!ledger && ledger.error().code != ec::state_missing)
    return tl::unexpected{with_way_back(workspace, ledger.error())};
  const auto copy = ledger ? newer_copy(workspace, *ledger) : copy_of_deleted(workspace);
  if (!copy) return ledger;
  tell(note, ledger ? is_older : is_gone, "what is told comes from", *copy);
  return ledger::open(copy->file, workspace.project, ledger::access::read_only);
}

/// What is left of the ledger itself, be it its journal alone, goes to the archive.
expected<void> replace_by_copy(const workspace& workspace, const ledger_backup& copy) {
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  for (const auto* name : {"ledger.db", "ledger.db-wal"}) {
    if (state->kind_of(name) == file_kind::missing) continue;
    if (auto moved = archive_ledger(workspace); !moved) return tl::unexpected{moved.error()};
    break;
  }
  return put_back(workspace, copy);
}

}  // namespace

expected<ledger> open_ledger(const workspace& workspace, ledger::access mode, std::string* note) {
  if (mode == ledger::access::read_only) return read_ledger(workspace, note);
  const auto state = open_state(workspace);
  std::optional<ledger_backup> copy;
  if (!state || state->kind_of("ledger.db") == file_kind::missing) {
    copy = copy_of_deleted(workspace);
    if (copy) tell(note, is_gone, "it was put back from", *copy);
  } else {
    auto ledger = ledger::open(workspace.ledger_file(), workspace.project, mode);
    if (!ledger) return tl::unexpected{with_way_back(workspace, ledger.error())};
    copy = newer_copy(workspace, *ledger);
    if (!copy) return ledger;
    tell(note, is_older, "it went to the archive, and the newest one was put back from", *copy);
  }
  if (copy)
    if (auto done = replace_by_copy(workspace, *copy); !done) return tl::unexpected{done.error()};
  return ledger::open(workspace.ledger_file(), workspace.project, mode);
}

expected<bool> restore_own_ledger(const workspace& workspace) {
  const auto backups = backups_of(workspace);
  if (backups.empty()) return false;
  const auto ledger = ledger::open(workspace.ledger_file(), workspace.project, ledger::access::read_only);
  if (ledger || !is_replaceable(ledger.error().code)) return false;
  if (auto done = replace_by_copy(workspace, backups.front()); !done) return tl::unexpected{done.error()};
  return true;
}

backup_writer::backup_writer(const ledger& ledger)
    : ledger_(ledger), next_((steady_clock::now() + shortest_interval).time_since_epoch().count()) {}

void backup_writer::wait() {
  if (thread_.joinable()) thread_.join();
}

void backup_writer::begin_if_due() {
  const auto now = steady_clock::now();
  if (busy_ || now.time_since_epoch().count() < next_) return;
  wait();
  busy_ = true;
  thread_ = std::thread{[this, now] {
    if (auto done = ledger_.write_backup(); !done) log_warning("the ledger was not copied: {}", done.error().message);
    const auto took = steady_clock::now() - now;
    const auto pause = std::max<steady_clock::duration>(shortest_interval, took * share_of_time);
    next_ = (steady_clock::now() + pause).time_since_epoch().count();
    busy_ = false;
  }};
}

}  // namespace cohort::state
