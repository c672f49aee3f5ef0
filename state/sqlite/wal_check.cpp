// The main file is read as immutable: SQLite then ignores its WAL.

#include "state/sqlite/wal_check.hpp"

#include <charconv>

#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "state/sqlite/file_check.hpp"
#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

constexpr uintmax_t empty_wal = 32;  // A header without a frame.

std::string value_of(const SQLite::Database& database, const char* key) {
  SQLite::Statement row{database, "SELECT value FROM meta WHERE key = ?"};
  row.bind(1, key);
  return row.executeStep() ? row.getColumn(0).getString() : std::string{};
}

}  // namespace

identity_marks marks_of(const SQLite::Database& database) {
  identity_marks marks{value_of(database, "ledger_id"), value_of(database, "session"), 0};
  const auto commits = value_of(database, "commits");
  std::from_chars(commits.data(), commits.data() + commits.size(), marks.commits);
  return marks;
}

std::optional<identity_marks> marks_without_journal(const fs::path& file) {
  try {
    const SQLite::Database alone{immutable_uri(file), SQLite::OPEN_READONLY | SQLite::OPEN_NOMUTEX | SQLite::OPEN_URI};
    return marks_of(alone);
  } catch (const SQLite::Exception&) {
    return std::nullopt;
  }
}

expected<void> check_journal_present(const fs::path& file, const std::optional<identity_marks>& marks) {
  if (!marks || marks->session.empty()) return {};
  std::error_code failed;
  const auto size = fs::file_size(wal_of(file), failed);
  if (!failed && size > empty_wal) return {};
  return tl::unexpected{damaged(
      file, "its journal (-wal), which holds what was recorded last, is gone, though the last run did not close it")};
}

expected<void> check_journal_belongs(const fs::path& file, const std::optional<identity_marks>& marks,
                                     const SQLite::Database& database) {
  if (!marks) return {};
  const auto together = marks_of(database);
  if (together.ledger_id != marks->ledger_id)
    return tl::unexpected{damaged(file, "its journal (-wal) belongs to another ledger")};
  if (together.commits < marks->commits)
    return tl::unexpected{damaged(file, "its journal (-wal) is older than the ledger itself")};
  return {};
}

}  // namespace cohort::state
