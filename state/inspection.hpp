// Looks at the bytes of a ledger and its WAL before SQLite opens them. SQLite quietly drops a WAL that it cannot
// read, and with it paid answers; here that is an error.
#pragma once

#include <filesystem>

#include "base/error.hpp"

namespace cohort {

/// Checks the header of the ledger `file`. Errors: `ec::state_corrupt`, `ec::state_newer`, those of reading.
[[nodiscard]] expected<void> inspect_header(const std::filesystem::path& file);

/// Checks the WAL beside `file`, if there is one. A torn last transaction is what a crash leaves, and fine; more than
/// one transaction from the first unreadable frame on cannot come from a crash, since each commit is synced before the
/// next.
[[nodiscard]] expected<void> inspect_wal(const std::filesystem::path& file);

/// The WAL's path, `file` with "-wal".
[[nodiscard]] std::filesystem::path wal_of(const std::filesystem::path& file);
[[nodiscard]] std::filesystem::path shm_of(const std::filesystem::path& file);

}  // namespace cohort
