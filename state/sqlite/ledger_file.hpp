// The SQLite file below the ledger: created whole or not at all, checked before it is used, read without a
// trace. Invariant: nothing is changed in a file that is damaged, newer or another project's.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "base/signing_key.hpp"

namespace cohort::state {

/// An open, checked ledger file.
class ledger_file {
 public:
  /// Opens a ledger file that may be written; creates it, signed with `key`, if it is missing. `ec::state_untrusted` if
  /// `key` did not sign it.
  [[nodiscard]] static expected<ledger_file> open_for_writing(const std::filesystem::path& file,
                                                              const std::filesystem::path& project,
                                                              const signing_key& key);
  /// Opens without writing anything beside `file`. A WAL that a killed run left is read from a copy without
  /// a name. A ledger from before signatures is read from a converted copy; any other must be signed with `key`.
  [[nodiscard]] static expected<ledger_file> open_for_reading(const std::filesystem::path& file,
                                                              const std::optional<signing_key>& key);

  /// Opens a closed ledger that `key` must have signed, without looking at its trees: for a few values of `meta`.
  [[nodiscard]] static expected<ledger_file> peek(const std::filesystem::path& file, const signing_key& key);

  ledger_file(ledger_file&& other) noexcept;
  ledger_file& operator=(ledger_file&&) = delete;
  ~ledger_file();

  [[nodiscard]] SQLite::Database& database() const noexcept { return *database_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

  /// The key of its rows, and its identity; of an open ledger.
  [[nodiscard]] const signing_key& ledger_key() const noexcept { return *ledger_key_; }
  [[nodiscard]] const std::string& ledger_id() const noexcept { return ledger_id_; }

  /// The value of `key` in the table `meta`, empty if it has none; throws `SQLite::Exception`, also if it was altered.
  [[nodiscard]] std::string meta(const char* key) const;
  /// Where the open file is now; empty if it was deleted.
  [[nodiscard]] std::filesystem::path path_now() const;
  /// Sets it; throws `SQLite::Exception`.
  void set_meta(const std::string& key, const std::string& value) const;

  /// Writes a whole ledger of what this one holds now, closed in good order, to `target`; replaces what stands there.
  [[nodiscard]] expected<void> copy_to(const std::filesystem::path& target) const;

  /// To be called once the content is known to be sound: marks the ledger as open for writing until this object ends.
  /// Before that nothing is changed in the file.
  [[nodiscard]] expected<void> begin_session();

 private:
  explicit ledger_file(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] expected<void> open_writer(const signing_key& key);
  [[nodiscard]] expected<void> open_reader(const std::optional<signing_key>& key);
  [[nodiscard]] expected<void> open_copy();
  [[nodiscard]] expected<void> open_converted(const std::optional<signing_key>& own);
  [[nodiscard]] static expected<ledger_file> upgraded(ledger_file&& old, const signing_key& key);
  [[nodiscard]] expected<void> check_signed_by(const signing_key& key);
  void keep_private() const noexcept;
  void enroll();
  void end_session() noexcept;

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> database_;
  std::string ledger_id_;
  std::optional<signing_key> ledger_key_;      ///< Set once it is known whose the ledger is.
  std::pair<uint64_t, uint64_t> inode_{0, 0};  ///< Entry in the list of files that this process has open.
  bool in_session_ = false;
};

/// Turns off, for this connection, what a crafted file could use: triggers, views, functions in its schema, oversized
/// values. Throws `SQLite::Exception`.
void harden(SQLite::Database& database);

/// Whether it is a ledger, of a format that is known, with exactly our tables; else nothing in it may be read.
/// `ec::state_corrupt`, `ec::state_newer`, `ec::state_untrusted`.
[[nodiscard]] expected<void> check_tables(const SQLite::Database& database, const std::filesystem::path& file);

/// Whether its trees are whole, and the values within the bounds of the schema: `ec::state_corrupt` if not.
[[nodiscard]] expected<void> check_trees(const SQLite::Database& database, const std::filesystem::path& file);

/// The number of its format.
[[nodiscard]] int64_t format_of(const SQLite::Database& database);

/// Makes an empty file, readable by this user alone. A draft of that name, and its journals, that a crash left behind
/// are removed before SQLite opens the file: it would play such a journal back.
[[nodiscard]] expected<void> make_empty_draft(const std::filesystem::path& draft);

/// Makes an empty ledger with our tables and no rows, from an empty draft.
[[nodiscard]] expected<void> create_ledger_file(const std::filesystem::path& file);

/// Sets a value of the table `meta`, signed. The connection must know its key. Throws `SQLite::Exception`.
void write_meta(const SQLite::Database& database, const std::string& key, const std::string& value);

/// The key for the rows of one ledger, so that no row is valid in another one.
[[nodiscard]] signing_key key_of_ledger(const signing_key& user_key, std::string_view ledger_id);

/// The name by which SQLite reads `file` alone: no lock, no WAL.
[[nodiscard]] std::string immutable_uri(const std::filesystem::path& file);

/// What went wrong in SQLite, as the user should read it.
[[nodiscard]] error error_of(const SQLite::Exception& thrown, const SQLite::Database* database,
                             const std::filesystem::path& file, std::string_view action);

/// `ec::state_untrusted` for `file`, with the way on. `why` is a sentence without its full stop.
[[nodiscard]] error untrusted(const std::filesystem::path& file, std::string_view why);

/// `ec::state_corrupt` for `file`, with the way on.
[[nodiscard]] error damaged(const std::filesystem::path& file, std::string_view what);

/// Runs `body`, which returns an `expected<T>`; whatever it throws becomes an error.
template <class Body>
auto guarded(const SQLite::Database* database, const std::filesystem::path& file, std::string_view action,
             Body&& body) noexcept -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& thrown) {
    return tl::unexpected{error_of(thrown, database, file, action)};
  } catch (const std::exception& thrown) {
    return fail(ec::io, std::string{"cannot "} + std::string{action} + ": " + thrown.what());
  }
}

}  // namespace cohort::state
