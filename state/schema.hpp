// The ledger's schema, in one place. docs/state.md explains each table.
#pragma once

#include <cstdint>

namespace cohort {

/// "Chrt": tells a ledger from other SQLite files.
inline constexpr uint32_t ledger_application_id = 0x43687274;
/// Raised with every change of the schema; a ledger with a larger one is refused as newer.
inline constexpr uint32_t ledger_version = 2;
inline constexpr uint32_t ledger_page_size = 4096;

/// The statements that make an empty ledger of format 1.
extern const char* const ledger_schema;
/// What format 2 adds. An older ledger gets it when it is opened for writing, and is read as it is.
extern const char* const ledger_schema_2;

}  // namespace cohort
