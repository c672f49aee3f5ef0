// Makes a ledger of this user out of one that is not: of an older format, or signed by somebody else.
// Everything in it is checked on the way, and nothing of the original is changed.
#pragma once

#include <filesystem>

#include "base/signing_key.hpp"

namespace cohort::state {

/// For whom a ledger is imported.
struct import_target {
  std::filesystem::path project;  ///< Whose ledger it becomes.
  /// A ledger that was signed by somebody, or for another project, gets an identity of its own, so that the two are
  /// never taken for each other. One from before signatures keeps its identity: nodes may hold answers for it.
  bool may_be_renamed = false;
  /// It is of format 3 and signed with the same key: its signatures must hold, and it stays the same ledger.
  bool is_ours = false;
};

/// Writes what the ledger at `from` holds, with its WAL, into a new ledger at `to`, signed with `key`. Nothing may
/// stand at `to`. Errors: `ec::state_corrupt` (damaged, a schema that is not ours, a number, text or path out of its
/// bounds), `ec::state_newer`, `ec::io`.
[[nodiscard]] expected<void> import_ledger(const std::filesystem::path& from, const std::filesystem::path& to,
                                           const signing_key& key, const import_target& target = {});

}  // namespace cohort::state
