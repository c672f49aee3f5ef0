// Does the WAL beside a ledger belong to it? SQLite asks neither whether one is missing nor whose it is. The ledger
// tells by three rows of `meta`: `session` is set while it is open for writing and empty after a good end, `commits`
// grows with each commit, and `ledger_id` lies on the same page, so that each commit of a WAL carries all three.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include <SQLiteCpp/Database.h>

#include "base/error.hpp"

namespace cohort::state {

/// What the main file says by itself, without its WAL.
struct identity_marks {
  std::string ledger_id;
  std::string session;  ///< Empty: it was closed in good order.
  int64_t commits = 0;
};

/// Nothing if the main file cannot be read by itself, as after a power cut in the middle of a checkpoint. Only for
/// files that this process has not open: it closes a descriptor.
[[nodiscard]] std::optional<identity_marks> marks_without_journal(const std::filesystem::path& file);

/// The marks as `database` shows them.
[[nodiscard]] identity_marks marks_of(const SQLite::Database& database);

/// `ec::state_corrupt` if a WAL must be there and is not.
[[nodiscard]] expected<void> check_journal_present(const std::filesystem::path& file,
                                                   const std::optional<identity_marks>& marks);

/// `ec::state_corrupt` if the WAL, applied in `database`, is another ledger's or an older one.
[[nodiscard]] expected<void> check_journal_belongs(const std::filesystem::path& file,
                                                   const std::optional<identity_marks>& marks,
                                                   const SQLite::Database& database);

}  // namespace cohort::state
