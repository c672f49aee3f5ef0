// The ledger's schema, in one place. docs/state.md explains each table.
#pragma once

#include <cstdint>

namespace cohort::state {

/// "Chrt": tells a ledger from other SQLite files.
inline constexpr uint32_t ledger_application_id = 0x43687274;
/// Raised with every change of the schema; a ledger with a larger one is refused as newer.
inline constexpr uint32_t ledger_version = 4;
inline constexpr uint32_t ledger_page_size = 4096;

/// The first format whose rows are signed. Older ledgers are read as they are, and taken over by `cohort trust`.
inline constexpr uint32_t first_signed_version = 3;

/// The statements that make an empty ledger. The bounds of each number and text are part of them: SQLite checks them
/// when a row is written, and all of them whenever a ledger is opened (`PRAGMA quick_check`).
extern const char* const ledger_schema;
/// The statements of format 3, those of format 1, and what format 2 added.
extern const char* const ledger_schema_3;
extern const char* const ledger_schema_1;
extern const char* const ledger_schema_2;

}  // namespace cohort::state
