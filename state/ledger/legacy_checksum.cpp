// Computes the old check values inside SQLite, as the versions that wrote them did.

#include "state/ledger/legacy_checksum.hpp"

#include <cstdint>
#include <cstring>
#include <string_view>

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

namespace {

class checksum {
 public:
  void add(uint64_t word) noexcept {
    sum_ = (sum_ ^ word) * 0x9FB21C651E98DF25ULL;
    sum_ ^= sum_ >> 32;
  }
  void add(std::string_view text) noexcept {
    add(uint64_t{text.size()});
    while (!text.empty()) {
      uint64_t word = 0;
      const auto length = std::min(text.size(), sizeof word);
      std::memcpy(&word, text.data(), length);
      add(word);
      text.remove_prefix(length);
    }
  }
  [[nodiscard]] int64_t value() const noexcept { return static_cast<int64_t>(sum_); }

 private:
  uint64_t sum_ = 0x9E3779B97F4A7C15ULL;
};

uint64_t word_of(const unsigned char* at) noexcept {
  uint64_t word = 0;
  for (int i = 0; i < 8; ++i) word = word << 8 | at[i];
  return word;
}

/// Numbers and texts in order. 16 bytes in front are the identity of a task: two numbers.
void legacy_checksum(sqlite3_context* context, int count, sqlite3_value** values) {
  checksum sum;
  for (int i = 0; i < count; ++i) {
    auto* value = values[i];
    if (::sqlite3_value_type(value) == SQLITE_INTEGER) {
      sum.add(static_cast<uint64_t>(::sqlite3_value_int64(value)));
      continue;
    }
    const auto* bytes = static_cast<const unsigned char*>(::sqlite3_value_blob(value));
    const auto size = static_cast<size_t>(::sqlite3_value_bytes(value));
    if (i == 0 && size == 16 && ::sqlite3_value_type(value) == SQLITE_BLOB) {
      sum.add(word_of(bytes));
      sum.add(word_of(bytes + 8));
    } else {
      sum.add(bytes == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(bytes), size});
    }
  }
  ::sqlite3_result_int64(context, sum.value());
}

struct checked_columns {
  const char* table;
  const char* values;
};

constexpr checked_columns all[]{
    {"task", "id, batch, state, code"},
    {"run",
     "batch_id || model_id, batch_size, model, concurrent, timeout, min_complexity, coalesce(cost_limit, -1), "
     "coalesce(budget, -1), on_limit, parallel_batches, output_directory, effort, status"},
    {"attempt", "task, number, outcome, reserved, cost"},
    {"answer", "task, attempt, text"},
    {"spec",
     "task, label, source, source_digest, target, part, parts, model, max_tokens, cache, effort, traits, prompt"}};

}  // namespace

expected<void> check_legacy_checksums(SQLite::Database& connection, const std::filesystem::path& file) {
  if (::sqlite3_create_function_v2(connection.getHandle(), "legacy_checksum", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
                                   nullptr, &legacy_checksum, nullptr, nullptr, nullptr) != SQLITE_OK)
    throw SQLite::Exception{connection.getHandle()};
  for (const auto& [table, values] : all) {
    SQLite::Statement altered{
        connection, fmt::format("SELECT 1 FROM old.{} WHERE seal IS NOT legacy_checksum({}) LIMIT 1", table, values)};
    if (altered.executeStep())
      return tl::unexpected{damaged(file, fmt::format("a row of its table '{}' was altered", table))};
  }
  return {};
}

}  // namespace cohort::state
