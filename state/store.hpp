// The SQLite file below the ledger: created whole or not at all, checked before it is used, read without a
// trace. Invariant: nothing is changed in a file that is damaged, newer or another project's.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include "base/error.hpp"

namespace cohort {

/// An open, checked ledger file.
class store {
 public:
  /// Opens a ledger file that may be written; creates it if it is missing.
  [[nodiscard]] static expected<store> open_for_writing(const std::filesystem::path& file,
                                                        const std::filesystem::path& project);
  /// Opens without writing anything beside `file`. A WAL that a killed run left is read from a copy without
  /// a name.
  [[nodiscard]] static expected<store> open_for_reading(const std::filesystem::path& file);

  store(store&& other) noexcept;
  store& operator=(store&&) = delete;
  ~store();

  [[nodiscard]] SQLite::Database& database() const noexcept { return *database_; }
  [[nodiscard]] const std::filesystem::path& file() const noexcept { return file_; }

  /// False for a ledger of format 1 that is only read: it has no table `placed`.
  [[nodiscard]] bool knows_nodes() const;

  /// The value of `key` in the table `meta`; throws `SQLite::Exception`.
  [[nodiscard]] std::string meta(const char* key) const;
  /// Where the open file is now; empty if it was deleted.
  [[nodiscard]] std::filesystem::path path_now() const;
  /// Sets it; throws `SQLite::Exception`.
  void set_meta(const char* key, const std::string& value);

  /// To be called once the content is known to be sound: marks the ledger as open for writing until this object ends.
  /// Before that nothing is changed in the file.
  [[nodiscard]] expected<void> begin_session();

 private:
  explicit store(std::filesystem::path file) : file_(std::move(file)) {}
  [[nodiscard]] expected<void> open_writer();
  [[nodiscard]] expected<void> open_reader();
  [[nodiscard]] expected<void> open_copy();
  void enroll();
  void end_session() noexcept;

  std::filesystem::path file_;
  std::unique_ptr<SQLite::Database> database_;
  std::pair<uint64_t, uint64_t> inode_{0, 0};  ///< Entry in the list of files that this process has open.
  bool in_session_ = false;
};

/// The name by which SQLite reads `file` alone: no lock, no WAL.
[[nodiscard]] std::string immutable_uri(const std::filesystem::path& file);

/// What went wrong in SQLite, as the user should read it.
[[nodiscard]] error error_of(const SQLite::Exception& thrown, const SQLite::Database* database,
                             const std::filesystem::path& file, std::string_view action);

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

}  // namespace cohort
