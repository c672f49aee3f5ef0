// Signatures of rows. Each row of the ledger holds a keyed check value over its table's name and all its other columns,
// so that a row that this user's program did not write is noticed when it is read.
// A signature says who wrote a row. It does not say that the row is the newest of its kind, nor that none is missing:
// docs/security.md tells what stands against that.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/signing_key.hpp"

struct sqlite3;

namespace cohort::state {

/// SipHash-2-4 with a result of 64 bits (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012).
[[nodiscard]] uint64_t siphash(const std::array<uint64_t, 2>& key, std::string_view data) noexcept;

enum class ledger_table : uint8_t { meta, run, task, spec, prefix, attempt, answer, file };
inline constexpr std::array ledger_tables{ledger_table::meta,   ledger_table::run,    ledger_table::task,
                                          ledger_table::spec,   ledger_table::prefix, ledger_table::attempt,
                                          ledger_table::answer, ledger_table::file};

[[nodiscard]] std::string_view name(ledger_table table) noexcept;

/// The signed columns, separated by ", ": all but `signature`, and in `spec` all but `prompt`, which has a check value
/// of its own (`prompt_check`), so that a list of tasks need not read the prompts.
[[nodiscard]] std::string columns_of(ledger_table table, std::string_view alias = {});

/// The SQL expression for the signature of a row. `alias` is that of the table in the statement.
[[nodiscard]] std::string signature_sql(ledger_table table, std::string_view alias = {});

/// The columns of a row of format 3, separated by ", "; its table `placed` goes by the name alone.
[[nodiscard]] std::string columns_of_format_3(std::string_view table);

/// The SQL condition that a row's signature holds.
[[nodiscard]] std::string sound_sql(ledger_table table, std::string_view alias = {});

/// The SQL expression for `spec.prompt_check`.
[[nodiscard]] std::string prompt_check_sql(std::string_view alias = {});

/// Defines the SQL function that the expressions above call, for this connection, with this key. Throws
/// `SQLite::Exception`.
void define_signature(sqlite3* connection, const signing_key& key);

/// "3:key5:value", in order: any bytes, and still readable.
[[nodiscard]] std::string pack(const std::map<std::string, std::string>& traits);
[[nodiscard]] std::optional<std::map<std::string, std::string>> unpack(std::string_view packed);

}  // namespace cohort::state
