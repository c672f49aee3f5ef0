// What makes a file a ledger of ours, and what a connection to one may do.

#include <cerrno>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "base/folder.hpp"
#include "base/text.hpp"
#include "state/ledger/row_signature.hpp"
#include "state/ledger/schema.hpp"
#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

const int creation_flags = SQLite::OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;

int64_t pragma(const SQLite::Database& database, const char* name) {
  SQLite::Statement query{database, fmt::format("PRAGMA {}", name)};
  return query.executeStep() ? query.getColumn(0).getInt64() : 0;
}

std::string schema_of(int64_t version) {
  switch (version) {
    case 1: return ledger_schema_1;
    case 2: return std::string{ledger_schema_1} + ledger_schema_2;
    case 3: return ledger_schema_3;
    default: return ledger_schema;
  }
}

/// True if the file describes its tables just as we do, and has nothing else.
bool has_our_schema(const SQLite::Database& database, int64_t version) {
  const auto ours = schema_of(version);
  SQLite::Statement row{database, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"};
  size_t length = 0;
  while (row.executeStep()) {
    const auto sql = row.getColumn(0).getString();
    if (ours.find("\n" + sql + ";\n") == std::string_view::npos) return false;
    length += sql.size() + 2;
  }
  const auto blank_lines = ours.size() - length;  // nothing of ours may be missing
  return length <= ours.size() && blank_lines < 16;
}

/// Nothing in such a file is read, so it cannot be told whether a bit flipped or somebody made it.
error other_tables(const fs::path& file) {
  return untrusted(file, "has other tables than a ledger of this program: it is damaged, or it came with the project");
}

}  // namespace

int64_t format_of(const SQLite::Database& database) { return pragma(database, "user_version"); }

void harden(SQLite::Database& database) {
  auto* handle = database.getHandle();
  constexpr std::pair<int, int> switches[]{
      {SQLITE_DBCONFIG_DEFENSIVE, 1},       {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},  {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}, {SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0}};
  for (const auto& [what, value] : switches)
    if (::sqlite3_db_config(handle, what, value, nullptr) != SQLITE_OK) throw SQLite::Exception{handle};
  // One attached file: VACUUM INTO and the import of a ledger need it.
  constexpr std::pair<int, int> limits[]{
      {SQLITE_LIMIT_LENGTH, 128 << 20},        {SQLITE_LIMIT_SQL_LENGTH, 100'000}, {SQLITE_LIMIT_COLUMN, 64},
      {SQLITE_LIMIT_EXPR_DEPTH, 100},          {SQLITE_LIMIT_COMPOUND_SELECT, 5},  {SQLITE_LIMIT_ATTACHED, 1},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100}, {SQLITE_LIMIT_TRIGGER_DEPTH, 1},    {SQLITE_LIMIT_WORKER_THREADS, 0}};
  for (const auto& [what, value] : limits) ::sqlite3_limit(handle, what, value);
  database.exec("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0");
}

expected<void> check_tables(const SQLite::Database& database, const fs::path& file) {
  if (pragma(database, "application_id") != ledger_application_id)
    return tl::unexpected{damaged(file, "it is not a ledger")};
  const auto version = pragma(database, "user_version");
  if (version > ledger_version)
    return fail(ec::state_newer,
                fmt::format("the ledger '{}' has format {}, this program knows up to {}; use the newer program",
                            file.string(), version, ledger_version));
  if (version < 1 || !has_our_schema(database, version)) return tl::unexpected{other_tables(file)};
  return {};
}

expected<void> check_trees(const SQLite::Database& database, const fs::path& file) {
  SQLite::Statement check{database, "PRAGMA quick_check(1)"};
  std::string verdict = check.executeStep() ? check.getColumn(0).getString() : "no answer";
  if (verdict != "ok") return tl::unexpected{damaged(file, verdict.substr(0, verdict.find('\n')))};
  return {};
}

/// The file is made before SQLite opens it, so that no one else can read it, whatever the umask is; the journal gets
/// the permissions of the file.
expected<void> make_empty_draft(const fs::path& draft) {
  for (const char* suffix : {"", "-wal", "-shm", "-journal"})
    if (::unlink((draft.native() + suffix).c_str()) != 0 && errno != ENOENT)
      return tl::unexpected{system_error(errno, "remove", draft.native() + suffix)};
  const descriptor made{::open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!made.valid()) return tl::unexpected{system_error(errno, "create", draft)};
  return {};
}

/// The rollback journal is in memory until the file is in WAL mode: a crash leaves no journal in the folder.
expected<void> create_ledger_file(const fs::path& file) {
  if (auto made = make_empty_draft(file); !made) return made;
  SQLite::Database database{file.native(), SQLite::OPEN_READWRITE | creation_flags};
  database.exec(
      fmt::format("PRAGMA page_size={}; PRAGMA encoding='UTF-8'; PRAGMA journal_mode=MEMORY; PRAGMA journal_mode=WAL; "
                  "PRAGMA application_id={}; PRAGMA user_version={}; BEGIN",
                  ledger_page_size, ledger_application_id, ledger_version));
  database.exec(ledger_schema);
  database.exec("COMMIT");
  return {};
}

void write_meta(const SQLite::Database& database, const std::string& key, const std::string& value) {
  SQLite::Statement update{database,
                           "INSERT INTO meta(key, value, signature) VALUES(?1, ?2, row_signature('meta', ?1, ?2)) ON "
                           "CONFLICT(key) DO UPDATE SET value = excluded.value, signature = excluded.signature"};
  update.bind(1, key);
  update.bind(2, value.empty() ? "" : value.data(), static_cast<int>(value.size()));
  update.exec();
}

signing_key key_of_ledger(const signing_key& user_key, std::string_view ledger_id) {
  return user_key.for_purpose("ledger", ledger_id);
}

error untrusted(const fs::path& file, std::string_view why) {
  return {
      ec::state_untrusted,
      fmt::format("the ledger '{}' {}. It is not used, and nothing was changed. `cohort trust PROJECT` shows what it "
                  "would make Cohort do, and takes it over if you agree; `cohort generate-logical-batch PROJECT "
                  "--clean` puts it aside",
                  printable(file.string(), 1000), why)};
}

error damaged(const fs::path& file, std::string_view what) {
  return {
      ec::state_corrupt,
      fmt::format(
          "the ledger '{}' is damaged: {}. It was not repaired. Restore it (with its -wal file) from a backup, or run "
          "`cohort generate-logical-batch PROJECT --clean`, which archives it and starts afresh",
          file.string(), what)};
}

}  // namespace cohort::state
