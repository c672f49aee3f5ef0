// Opening, creating and checking the SQLite file. One pitfall rules this file: POSIX locks belong to the process,
// and closing any descriptor of a file drops them. So a file that this process has open through SQLite is
// never opened a second time by other means; `open_files` knows which those are.

#include "state/sqlite/ledger_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/digest.hpp"
#include "base/fault_point.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"
#include "state/ledger/ledger_import.hpp"
#include "state/ledger/row_signature.hpp"
#include "state/ledger/schema.hpp"
#include "state/sqlite/file_check.hpp"
#include "state/sqlite/read_copy.hpp"
#include "state/sqlite/wal_check.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

using inode = std::pair<uint64_t, uint64_t>;

struct open_files {
  std::mutex mutex;
  std::map<inode, int> counts;
};

open_files& files_of_this_process() {
  static open_files instance;
  return instance;
}

inode inode_of(const fs::path& file) noexcept {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {0, 0};
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
}

bool open_in_this_process(const fs::path& file) {
  auto& files = files_of_this_process();
  const std::lock_guard guard{files.mutex};
  return files.counts.count(inode_of(file)) != 0;
}

/// True if some process has the ledger open in WAL mode: SQLite then holds a lock on byte 128 of the -shm file.
bool open_elsewhere(const fs::path& file) noexcept {
  const int fd = ::open(shm_of(file).c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
  if (fd < 0) return false;
  struct flock wanted {};
  wanted.l_type = F_WRLCK;
  wanted.l_whence = SEEK_SET;
  wanted.l_start = 128;
  wanted.l_len = 1;
  const bool held = ::fcntl(fd, F_OFD_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
  ::close(fd);
  return held;
}

uint64_t size_of(const fs::path& file) noexcept {
  std::error_code failed;
  const auto size = fs::file_size(file, failed);
  return failed ? 0 : static_cast<uint64_t>(size);
}

void checkpoint_at_close(const SQLite::Database& database, bool wanted) {
  ::sqlite3_db_config(database.getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, wanted ? 0 : 1, nullptr);
}

const int open_flags = SQLite::OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;

/// Makes a complete, empty ledger under another name and renames it, so that a ledger is whole or absent.
expected<void> create(const fs::path& file, const fs::path& project, const signing_key& key) {
  const auto folder = folder::make(file.parent_path());
  if (!folder) return tl::unexpected{folder.error()};
  const fs::path draft = file.native() + ".new";
  if (auto made = create_ledger_file(draft); !made) return made;
  {
    SQLite::Database database{draft.native(), SQLite::OPEN_READWRITE | open_flags};
    const auto id = random_hex(16);
    define_signature(database.getHandle(), key_of_ledger(key, id));
    database.exec("BEGIN");
    for (const auto& [name, value] : std::initializer_list<std::pair<const char*, std::string>>{
             {"project", project.native()}, {"ledger_id", id}, {"created", to_iso8601(wall_now())}, {"session", ""}})
      write_meta(database, name, value);
    database.exec("COMMIT");
  }
  COHORT_FAULT_POINT("ledger.drafted");
  if (::rename(draft.c_str(), file.c_str()) != 0) return tl::unexpected{system_error(errno, "create the ledger", file)};
  COHORT_FAULT_POINT("ledger.created");
  return sync_file(file);
}

/// Neither the ledger nor a WAL of it: fine to create. A WAL alone holds answers whose ledger is lost.
expected<void> missing(const fs::path& file) {
  if (size_of(wal_of(file)) > 0)
    return tl::unexpected{damaged(file, "the file is gone, but its journal (-wal) is there")};
  return fail(ec::state_missing, fmt::format("there is no ledger at '{}'; no run was started yet", file.string()));
}

}  // namespace

std::string immutable_uri(const fs::path& file) {
  std::string uri = "file:";
  for (const char c : file.native()) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
                       c == '.' || c == '-' || c == '_';
    uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return uri + "?immutable=1";
}

error error_of(const SQLite::Exception& thrown, const SQLite::Database* database, const fs::path& file,
               std::string_view action) {
  const int code = thrown.getErrorCode() & 0xFF;
  const int system = database != nullptr ? ::sqlite3_system_errno(database->getHandle()) : 0;
  const bool no_space = system == ENOSPC || system == EDQUOT;
  if (code == SQLITE_FULL || (no_space && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)))
    return {ec::disk_full,
            fmt::format("cannot {}: no space left for '{}'; free some space and run the same command again", action,
                        file.string())};
  if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB) return damaged(file, thrown.what());
  if (code == SQLITE_CONSTRAINT) return damaged(file, fmt::format("a value is out of its bounds ({})", thrown.what()));
  auto kind = ec::io;
  if (code == SQLITE_READONLY || code == SQLITE_PERM || code == SQLITE_AUTH) kind = ec::permission_denied;
  if (code == SQLITE_BUSY || code == SQLITE_LOCKED) kind = ec::state_locked;
  if (system == EACCES || system == EROFS) kind = ec::permission_denied;
  return {kind, fmt::format("cannot {} in '{}': {}", action, file.string(), thrown.what())};
}

ledger_file::ledger_file(ledger_file&& other) noexcept
    : file_(std::move(other.file_)),
      database_(std::move(other.database_)),
      ledger_id_(std::move(other.ledger_id_)),
      ledger_key_(other.ledger_key_),
      inode_(std::exchange(other.inode_, {0, 0})),
      in_session_(std::exchange(other.in_session_, false)) {}

ledger_file::~ledger_file() {
  if (in_session_ && database_) end_session();
  database_.reset();
  if (inode_ != inode{0, 0}) {
    auto& files = files_of_this_process();
    const std::lock_guard guard{files.mutex};
    if (const auto found = files.counts.find(inode_); found != files.counts.end() && --found->second == 0)
      files.counts.erase(found);
  }
}

void ledger_file::enroll() {
  inode_ = inode_of(file_);
  auto& files = files_of_this_process();
  const std::lock_guard guard{files.mutex};
  ++files.counts[inode_];
}

expected<ledger_file> ledger_file::peek(const fs::path& file, const signing_key& key) {
  return guarded(nullptr, file, "read the ledger", [&]() -> expected<ledger_file> {
    if (auto plain = check_neighbours(file); !plain) return tl::unexpected{plain.error()};
    ledger_file made{file};
    made.database_ =
        std::make_unique<SQLite::Database>(immutable_uri(file), SQLite::OPEN_READONLY | open_flags | SQLite::OPEN_URI);
    harden(*made.database_);
    if (auto ours = check_tables(*made.database_, file); !ours) return tl::unexpected{ours.error()};
    if (auto ours = made.check_signed_by(key); !ours) return tl::unexpected{ours.error()};
    return made;
  });
}

expected<ledger_file> ledger_file::open_for_writing(const fs::path& file, const fs::path& project,
                                                    const signing_key& key) {
  return guarded(nullptr, file, "open the ledger", [&]() -> expected<ledger_file> {
    if (auto plain = check_neighbours(file); !plain) return tl::unexpected{plain.error()};
    ledger_file made{file};
    std::optional<identity_marks> marks;
    if (inode_of(file) == inode{0, 0}) {
      if (auto absent = missing(file); absent.error().code != ec::state_missing) return tl::unexpected{absent.error()};
      if (auto created = create(file, project, key); !created) return tl::unexpected{created.error()};
    } else if (!open_in_this_process(file)) {
      if (auto sound = check_header(file); !sound) return tl::unexpected{sound.error()};
      if (auto sound = check_wal(file); !sound) return tl::unexpected{sound.error()};
      // The identity stands in the main file from the start. So a foreign ledger is known before SQLite opens it for
      // writing and reads its journal.
      if (const auto ours = peek(file, key); !ours) return tl::unexpected{ours.error()};
      marks = marks_without_journal(file);
      if (auto there = check_journal_present(file, marks); !there) return tl::unexpected{there.error()};
    }
    if (auto opened = made.open_writer(key); !opened) return tl::unexpected{opened.error()};
    if (auto ours = check_journal_belongs(file, marks, made.database()); !ours) return tl::unexpected{ours.error()};
    if (format_of(made.database()) == ledger_version) return made;
    return upgraded(std::move(made), key);
  });
}

/// An own ledger of an older format becomes one of today's in one step: until the new file is complete and has its
/// name, the old one stands as it was. What its WAL holds is written into it first, so that none is left for the new
/// file.
expected<ledger_file> ledger_file::upgraded(ledger_file&& old, const signing_key& key) {
  const auto file = old.file_;
  old.set_meta("session", "");
  {
    SQLite::Statement written{*old.database_, "PRAGMA wal_checkpoint(TRUNCATE)"};
    if (!written.executeStep() || written.getColumn(0).getInt() != 0)
      return fail(ec::state_locked,
                  fmt::format("the ledger '{}' is in use, so that it cannot be brought to the format of this version",
                              file.string()));
  }
  { const auto closed = std::move(old); }
  const fs::path draft = file.native() + ".new";
  if (auto made = import_ledger(file, draft, key, {.project = {}, .may_be_renamed = false, .is_ours = true}); !made)
    return tl::unexpected{made.error()};
  COHORT_FAULT_POINT("ledger.upgraded");
  if (::rename(draft.c_str(), file.c_str()) != 0)
    return tl::unexpected{system_error(errno, "upgrade the ledger", file)};
  if (auto synced = sync_file(file); !synced) return tl::unexpected{synced.error()};
  ledger_file made{file};
  if (auto opened = made.open_writer(key); !opened) return tl::unexpected{opened.error()};
  return made;
}

expected<void> ledger_file::open_writer(const signing_key& key) {
  database_ = std::make_unique<SQLite::Database>(file_.native(), SQLite::OPEN_READWRITE | open_flags, 5000);
  enroll();
  return guarded(database_.get(), file_, "open the ledger", [&]() -> expected<void> {
    checkpoint_at_close(*database_, false);  // until the file is known to be sound
    harden(*database_);
    if (auto ours = check_tables(*database_, file_); !ours) return ours;
    if (auto ours = check_signed_by(key); !ours) return ours;
    if (auto sound = check_trees(*database_, file_); !sound) return sound;
    keep_private();
    database_->exec(
        "PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; "
        "PRAGMA cache_size=-8000; PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=16777216");
    return {};
  });
}

/// A ledger belongs to whoever signed its identity. Its other rows are checked when they are read.
expected<void> ledger_file::check_signed_by(const signing_key& key) {
  if (format_of(*database_) < first_signed_version)
    return tl::unexpected{untrusted(file_, "was written by an older version of this program, which did not sign it")};
  SQLite::Statement row{*database_, "SELECT CAST(value AS TEXT) FROM meta WHERE key = 'ledger_id'"};
  const auto id = row.executeStep() ? row.getColumn(0).getString() : std::string{};
  row.reset();
  if (!is_identity(id)) return tl::unexpected{untrusted(file_, "does not say which ledger it is")};
  ledger_id_ = id;
  ledger_key_ = key_of_ledger(key, id);
  define_signature(database_->getHandle(), *ledger_key_);
  SQLite::Statement ours{*database_,
                         fmt::format("SELECT {} FROM meta WHERE key = 'ledger_id'", sound_sql(ledger_table::meta))};
  if (ours.executeStep() && ours.getColumn(0).getInt() == 1) return {};
  return tl::unexpected{untrusted(file_, "was not written by this user: it may have come with the project")};
}

/// An earlier version, or a tool that copied it, may have left the ledger readable by others.
void ledger_file::keep_private() const noexcept {
  for (const auto& path : {file_, wal_of(file_), shm_of(file_)})
    if (struct stat info{}; ::lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 0077) != 0)
      (void)::fchmodat(AT_FDCWD, path.c_str(), 0600, 0);
}

/// The mark goes into the main file at once, so that it is there when the WAL is not.
expected<void> ledger_file::begin_session() {
  return guarded(database_.get(), file_, "write the ledger", [&]() -> expected<void> {
    set_meta("session", random_hex(8));
    database_->exec("PRAGMA wal_checkpoint(PASSIVE)");
    checkpoint_at_close(*database_, true);
    in_session_ = true;
    return {};
  });
}

/// Not the last one of this process: the session goes on. If the mark cannot be taken away, the WAL must stay: the next
/// start asks for it.
void ledger_file::end_session() noexcept {
  {
    auto& files = files_of_this_process();
    const std::lock_guard guard{files.mutex};
    if (const auto found = files.counts.find(inode_); found != files.counts.end() && found->second > 1) return;
  }
  const auto ended = guarded(database_.get(), file_, "close the ledger", [&]() -> expected<void> {
    if (::sqlite3_get_autocommit(database_->getHandle()) == 0) database_->exec("ROLLBACK");
    set_meta("session", "");
    return {};
  });
  if (!ended) checkpoint_at_close(*database_, false);
}

void ledger_file::set_meta(const std::string& key, const std::string& value) const {
  write_meta(*database_, key, value);
}

expected<ledger_file> ledger_file::open_for_reading(const fs::path& file, const std::optional<signing_key>& key) {
  return guarded(nullptr, file, "read the ledger", [&]() -> expected<ledger_file> {
    if (auto plain = check_neighbours(file); !plain) return tl::unexpected{plain.error()};
    ledger_file made{file};
    if (inode_of(file) == inode{0, 0}) return tl::unexpected{missing(file).error()};
    if (auto opened = made.open_reader(key); !opened) return tl::unexpected{opened.error()};
    return made;
  });
}

expected<void> ledger_file::open_reader(const std::optional<signing_key>& key) {
  const bool here = open_in_this_process(file_);
  const bool live = here || open_elsewhere(file_);
  std::optional<identity_marks> marks;
  bool from_copy = false;
  if (!live) {
    if (auto sound = check_header(file_); !sound) return sound;
    if (auto sound = check_wal(file_); !sound) return sound;
    marks = marks_without_journal(file_);
    if (auto there = check_journal_present(file_, marks); !there) return there;
    from_copy = size_of(wal_of(file_)) > 0;
  }
  if (from_copy) {
    if (auto copied = open_copy(); !copied) return copied;
  } else {
    const auto name = live ? file_.native() : immutable_uri(file_);
    database_ = std::make_unique<SQLite::Database>(
        name, SQLite::OPEN_READONLY | open_flags | (live ? 0 : SQLite::OPEN_URI), 5000);
    if (live) enroll();
  }
  return guarded(database_.get(), file_, "read the ledger", [&]() -> expected<void> {
    harden(*database_);
    if (auto ours = check_tables(*database_, file_); !ours) return ours;
    if (from_copy)
      if (auto ours = check_journal_belongs(file_, marks, *database_); !ours) return ours;
    if (format_of(*database_) < first_signed_version) return open_converted({});
    if (!key) return tl::unexpected{untrusted(file_, "was not written by this user, who has signed nothing so far")};
    if (auto ours = check_signed_by(*key); !ours) return ours;
    if (format_of(*database_) < ledger_version) return open_converted(key);
    return check_trees(*database_, file_);
  });
}

/// Nobody else has the copy, so its index needs no file (exclusive mode), and its WAL is not written back at the end.
expected<void> ledger_file::open_copy() {
  auto copy = ledger_copy::take(file_);
  if (!copy) return tl::unexpected{copy.error()};
  const auto name = copy->give_name();
  if (!name) return tl::unexpected{name.error()};
  database_ = std::make_unique<SQLite::Database>(name->native(), SQLite::OPEN_READWRITE | open_flags, 5000);
  return guarded(database_.get(), file_, "read the ledger", [&]() -> expected<void> {
    database_->exec("PRAGMA locking_mode=EXCLUSIVE; SELECT count(*) FROM sqlite_schema");
    checkpoint_at_close(*database_, false);
    copy->take_name();
    return {};
  });
}

/// The copy has no name once it is open. An own ledger's rows must have their signatures; one from before signatures is
/// signed with a key of the moment, which nothing else knows.
expected<void> ledger_file::open_converted(const std::optional<signing_key>& own) {
  auto folder = (fs::temp_directory_path() / "cohort-ledger-XXXXXX").native();
  if (::mkdtemp(folder.data()) == nullptr) return tl::unexpected{system_error(errno, "create a folder like", folder)};
  const fs::path name = fs::path{folder} / "ledger.db";
  const auto key = own ? expected<signing_key>{*own} : signing_key::ephemeral();
  auto done =
      key ? import_ledger(file_, name, *key, {.project = {}, .may_be_renamed = false, .is_ours = own.has_value()})
          : expected<void>{tl::unexpected{key.error()}};
  if (done)
    done = guarded(nullptr, file_, "read the ledger", [&]() -> expected<void> {
      database_.reset();
      database_ = std::make_unique<SQLite::Database>(immutable_uri(name),
                                                     SQLite::OPEN_READONLY | open_flags | SQLite::OPEN_URI, 5000);
      harden(*database_);
      return check_signed_by(*key);
    });
  std::error_code ignored;
  fs::remove_all(folder, ignored);
  return done;
}

std::string ledger_file::meta(const char* key) const {
  SQLite::Statement query{*database_,
                          fmt::format("SELECT value, {} FROM meta WHERE key = ?", sound_sql(ledger_table::meta))};
  query.bind(1, key);
  if (!query.executeStep()) return {};
  if (query.getColumn(1).getInt() == 0)
    throw SQLite::Exception{fmt::format("what it says of '{}' was altered", key), SQLITE_CORRUPT};
  return query.getColumn(0).getString();
}

}  // namespace cohort::state
