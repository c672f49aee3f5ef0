// The check value that rows of formats 1 and 2 held: it finds flipped bits, and has no key.
#pragma once

#include <filesystem>

#include <SQLiteCpp/Database.h>

#include "base/error.hpp"

namespace cohort::state {

/// `ec::state_corrupt` if a row of the attached ledger `old`, which is of format 1 or 2, does not hold its check value.
/// Throws `SQLite::Exception`.
[[nodiscard]] expected<void> check_legacy_checksums(SQLite::Database& connection, const std::filesystem::path& file);

}  // namespace cohort::state
