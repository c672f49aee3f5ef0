// Looks at the bytes of a ledger and its WAL before SQLite opens them. SQLite quietly drops a WAL that it cannot
// read, and with it paid answers; here that is an error.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/error.hpp"

namespace cohort::state {

/// Checks the header of the ledger `file`. Errors: `ec::state_corrupt`, `ec::state_newer`, those of reading.
[[nodiscard]] expected<void> check_header(const std::filesystem::path& file);

/// Checks the WAL beside `file`, if there is one. A torn last transaction is what a crash leaves, and fine; more than
/// one transaction from the first unreadable frame on cannot come from a crash, since each commit is synced before the
/// next.
[[nodiscard]] expected<void> check_wal(const std::filesystem::path& file);

/// The WAL's path, `file` with "-wal".
[[nodiscard]] std::filesystem::path wal_of(const std::filesystem::path& file);
[[nodiscard]] std::filesystem::path shm_of(const std::filesystem::path& file);

/// To be asked before SQLite opens a ledger: it, its WAL and its index are plain files or missing, and there is no
/// rollback journal, which SQLite would play back, deleting a file that the journal names. `ec::state_untrusted` if
/// not.
[[nodiscard]] expected<void> check_neighbours(const std::filesystem::path& file);

/// The format of the ledger at `file` by its header alone; nothing if it has none.
[[nodiscard]] std::optional<uint32_t> ledger_format(const std::filesystem::path& file);
/// The first format whose rows are signed.
[[nodiscard]] uint32_t first_signed_format() noexcept;

}  // namespace cohort::state
