// Makes a ledger of this user out of one that is not: of an older format, or signed by somebody else.
// Everything in it is checked on the way, and nothing of the original is changed.
#pragma once

#include <filesystem>

#include "base/signing_key.hpp"

namespace cohort {

/// Writes what the ledger at `from` holds, with its WAL, into a new ledger at `to`, signed with `key`. Nothing may
/// stand at `to`. Errors: `ec::state_corrupt` (damaged, a schema that is not ours, a number, text or path out of its
/// bounds), `ec::state_newer`, `ec::io`.
[[nodiscard]] expected<void> import_ledger(const std::filesystem::path& from, const std::filesystem::path& to,
                                           const signing_key& key);

}  // namespace cohort
