// Signs rows inside SQLite: a function of the connection gets a row's columns and returns their check value.

#include "state/ledger/row_signature.hpp"

#include <bit>
#include <charconv>
#include <cstring>
#include <memory>

#include <SQLiteCpp/Exception.h>
#include <fmt/format.h>
#include <sqlite3.h>

namespace cohort::state {

namespace {

struct signed_columns {
  std::string_view table;
  std::string_view columns;  ///< Separated by single spaces.
};

constexpr signed_columns signed_of(ledger_table table) noexcept {
  switch (table) {
    case ledger_table::meta: return {"meta", "key value"};
    case ledger_table::run:
      return {"run",
              "id batch_id model_id started updated status first_task last_task batch_size model concurrent timeout "
              "min_complexity cost_limit budget on_limit parallel_batches output_directory effort fallback workload"};
    case ledger_table::task:
      return {
          "task",
          "key run id batch state changed code file conflict_copy answer input_tokens output_tokens low expected worst "
          "reason"};
    case ledger_table::spec:
      return {
          "spec",
          "task label source source_digest target part parts complexity model max_tokens cache effort traits prefix "
          "prompt_check"};
    case ledger_table::prefix: return {"prefix", "id digest text"};
    case ledger_table::attempt:
      return {"attempt",
              "task number kind max_tokens holder duplicate outcome reserved cost sent ended lease input_tokens "
              "cache_write_5m cache_write_1h cache_read "
              "output_tokens tier us_inference stop code http model answered_by request_id message prompt"};
    case ledger_table::answer: return {"answer", "task number stop text"};
    case ledger_table::file: return {"file", "id path digest task synced"};
  }
  return {};
}

/// As far as they differ from what they are today.
constexpr signed_columns columns_of_3[]{
    {"run",
     "id batch_id model_id started updated status first_task last_task batch_size model concurrent timeout "
     "min_complexity cost_limit budget on_limit parallel_batches output_directory effort fallback"},
    {"task", "key run id batch state changed code file beside input_tokens output_tokens low expected worst reason"},
    {"attempt",
     "task number outcome reserved cost sent ended lease input_tokens cache_write_5m cache_write_1h cache_read "
     "output_tokens tier us_inference stop code http model answered_by request_id message"},
    {"answer", "task attempt stop text"},
    {"placed", "task number node spare"}};

constexpr void sip_round(std::array<uint64_t, 4>& v) noexcept {
  v[0] += v[1];
  v[1] = std::rotl(v[1], 13) ^ v[0];
  v[0] = std::rotl(v[0], 32);
  v[2] += v[3];
  v[3] = std::rotl(v[3], 16) ^ v[2];
  v[0] += v[3];
  v[3] = std::rotl(v[3], 21) ^ v[0];
  v[2] += v[1];
  v[1] = std::rotl(v[1], 17) ^ v[2];
  v[2] = std::rotl(v[2], 32);
}

/// What is signed: each value with its type and, for text and bytes, its length, so that no two rows look alike.
void append(std::string& to, sqlite3_value* value) {
  const auto whole = [&to](char type, uint64_t number) {
    char bytes[9];
    bytes[0] = type;
    std::memcpy(bytes + 1, &number, sizeof number);
    to.append(bytes, sizeof bytes);
  };
  switch (::sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return whole('i', static_cast<uint64_t>(::sqlite3_value_int64(value)));
    case SQLITE_NULL: return whole('n', 0);
    case SQLITE_FLOAT: return whole('f', std::bit_cast<uint64_t>(::sqlite3_value_double(value)));
    default: break;
  }
  const bool text = ::sqlite3_value_type(value) == SQLITE_TEXT;
  const auto* bytes = static_cast<const char*>(text ? static_cast<const void*>(::sqlite3_value_text(value))
                                                    : ::sqlite3_value_blob(value));
  const auto size = static_cast<size_t>(::sqlite3_value_bytes(value));
  whole(text ? 't' : 'b', size);
  if (bytes != nullptr) to.append(bytes, size);
}

struct row_signer {
  std::array<uint64_t, 2> key{};
  std::string buffer;
};

void sign_row(sqlite3_context* context, int count, sqlite3_value** values) {
  auto& signer = *static_cast<row_signer*>(::sqlite3_user_data(context));
  signer.buffer.clear();
  for (int i = 0; i < count; ++i) append(signer.buffer, values[i]);
  ::sqlite3_result_int64(context, static_cast<sqlite3_int64>(siphash(signer.key, signer.buffer)));
}

std::string with_alias(std::string_view column, std::string_view alias) {
  return alias.empty() ? std::string{column} : fmt::format("{}.{}", alias, column);
}

}  // namespace

uint64_t siphash(const std::array<uint64_t, 2>& key, std::string_view data) noexcept {
  std::array<uint64_t, 4> v{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
                            key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
  const auto absorb = [&v](uint64_t word) {
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
  };
  const auto length = data.size();
  for (; data.size() >= 8; data.remove_prefix(8)) {
    uint64_t word = 0;
    std::memcpy(&word, data.data(), sizeof word);
    absorb(word);
  }
  uint64_t last = uint64_t{length & 0xFFU} << 56U;
  for (size_t i = 0; i < data.size(); ++i) last |= uint64_t{static_cast<unsigned char>(data[i])} << (8 * i);
  absorb(last);
  v[2] ^= 0xFFU;
  for (int i = 0; i < 4; ++i) sip_round(v);
  return v[0] ^ v[1] ^ v[2] ^ v[3];
}

std::string_view name(ledger_table table) noexcept { return signed_of(table).table; }

namespace {

std::string listed(std::string_view rest, std::string_view alias) {
  std::string list;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    list += (list.empty() ? "" : ", ") + with_alias(rest.substr(0, end), alias);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return list;
}

}  // namespace

std::string columns_of(ledger_table table, std::string_view alias) { return listed(signed_of(table).columns, alias); }

std::string columns_of_format_3(std::string_view table) {
  for (const auto& one : columns_of_3)
    if (one.table == table) return listed(one.columns, {});
  for (const auto each : ledger_tables)
    if (name(each) == table) return columns_of(each);
  return {};
}

std::string signature_sql(ledger_table table, std::string_view alias) {
  return fmt::format("row_signature('{}', {})", name(table), columns_of(table, alias));
}

std::string sound_sql(ledger_table table, std::string_view alias) {
  return fmt::format("({} IS {})", with_alias("signature", alias), signature_sql(table, alias));
}

std::string prompt_check_sql(std::string_view alias) {
  return fmt::format("row_signature('prompt', {}, {})", with_alias("task", alias), with_alias("prompt", alias));
}

void define_signature(sqlite3* connection, const signing_key& key) {
  auto signer = std::make_unique<row_signer>();
  signer->key = key.halves();
  const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
  const auto drop = [](void* signer_of_connection) { delete static_cast<row_signer*>(signer_of_connection); };
  // SQLite calls `drop` even if this fails.
  if (::sqlite3_create_function_v2(connection, "row_signature", -1, flags, signer.release(), &sign_row, nullptr,
                                   nullptr, drop) != SQLITE_OK)
    throw SQLite::Exception{connection};
}

std::string pack(const std::map<std::string, std::string>& traits) {
  std::string packed;
  for (const auto& [key, value] : traits) packed += fmt::format("{}:{}{}:{}", key.size(), key, value.size(), value);
  return packed;
}

namespace {

std::optional<std::string> take_field(std::string_view& packed) {
  size_t length = 0;
  const auto [end, failed] = std::from_chars(packed.data(), packed.data() + packed.size(), length);
  if (failed != std::errc{} || end == packed.data() + packed.size() || *end != ':') return std::nullopt;
  packed.remove_prefix(static_cast<size_t>(end - packed.data()) + 1);
  if (packed.size() < length) return std::nullopt;
  std::string field{packed.substr(0, length)};
  packed.remove_prefix(length);
  return field;
}

}  // namespace

std::optional<std::map<std::string, std::string>> unpack(std::string_view packed) {
  std::map<std::string, std::string> traits;
  while (!packed.empty()) {
    auto key = take_field(packed);
    auto value = key ? take_field(packed) : std::nullopt;
    if (!value) return std::nullopt;
    traits[*key] = *value;
  }
  return traits;
}

}  // namespace cohort::state
