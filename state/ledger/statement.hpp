// One use of a prepared statement: parameters are bound and columns read in order, and the statement is reset
// at the end, so that it never holds the file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <SQLiteCpp/Column.h>
#include <SQLiteCpp/Statement.h>

#include "base/digest.hpp"
#include "base/money.hpp"
#include "messages/task_id.hpp"

namespace cohort::state {

/// Throws `SQLite::Exception`. Bound texts must outlive the query; they are not copied.
class statement {
 public:
  explicit statement(SQLite::Statement& prepared) : statement_(prepared) { statement_.reset(); }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement() { statement_.tryReset(); }

  statement& whole(int64_t value) {
    statement_.bind(++parameter_, value);
    return *this;
  }
  statement& whole(uint64_t value) { return whole(static_cast<int64_t>(value)); }
  statement& whole(uint32_t value) { return whole(int64_t{value}); }
  statement& money(nano_dollars value) { return whole(value.count); }
  statement& money(const std::optional<nano_dollars>& value) {
    if (value) return whole(value->count);
    statement_.bind(++parameter_);
    return *this;
  }
  statement& text(const std::string& value) {
    statement_.bindNoCopy(++parameter_, value);
    return *this;
  }
  statement& blob(std::string_view value) {
    statement_.bindNoCopy(++parameter_, value.empty() ? "" : value.data(), static_cast<int>(value.size()));
    return *this;
  }
  statement& blob(const digest& value) { return blob({reinterpret_cast<const char*>(value.bytes.data()), 32}); }
  statement& identity(const task_id& id) {
    for (size_t i = 0; i < 8; ++i) {
      identity_[i] = static_cast<char>(id.high >> (56 - 8 * i));
      identity_[i + 8] = static_cast<char>(id.low >> (56 - 8 * i));
    }
    return blob({identity_.data(), identity_.size()});
  }

  /// The next row; false at the end.
  bool next() {
    column_ = 0;
    return statement_.executeStep();
  }
  /// Runs a statement without rows; the number of changed rows.
  int run() { return statement_.exec(); }

  int64_t whole() { return statement_.getColumn(column_++).getInt64(); }
  template <class Integer>
  Integer as() {
    return static_cast<Integer>(whole());
  }
  nano_dollars money() { return {whole()}; }
  std::optional<nano_dollars> money_or_none() {
    const auto column = statement_.getColumn(column_++);
    if (column.isNull()) return std::nullopt;
    return nano_dollars{column.getInt64()};
  }
  std::string bytes() {
    const auto column = statement_.getColumn(column_++);
    const auto* data = static_cast<const char*>(column.getBlob());
    const auto size = static_cast<size_t>(column.getBytes());
    return data == nullptr ? std::string{} : std::string{data, size};
  }
  digest hash() {
    const auto raw = bytes();
    digest value;
    for (size_t i = 0; i < value.bytes.size() && i < raw.size(); ++i) value.bytes[i] = static_cast<uint8_t>(raw[i]);
    return value;
  }
  task_id identity() {
    const auto column = statement_.getColumn(column_++);
    const auto* data = static_cast<const unsigned char*>(column.getBlob());
    task_id id;
    for (int i = 0; data != nullptr && i < 8 && column.getBytes() == 16; ++i) {
      id.high = id.high << 8 | data[i];
      id.low = id.low << 8 | data[i + 8];
    }
    return id;
  }

 private:
  SQLite::Statement& statement_;
  int parameter_ = 0;
  int column_ = 0;
  std::array<char, 16> identity_{};
};

}  // namespace cohort::state
