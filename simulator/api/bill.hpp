// Keeps the bill: one JSON line for each request that the provider would bill, written before anything is answered.
// Invariant: a line is one `write` to a file opened for appending; credentials never get into the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "simulator/api/price_list.hpp"

namespace cohort::simulator {

struct bill_entry {
  uint64_t ordinal = 0;  ///< Number of the message request, from 1.
  std::string_view request_id;
  std::string_view model;
  counted_tokens tokens;
  nano_dollars cost;
  std::string_view prompt_sha256;  ///< Hexadecimal; over the text of all messages, one after the other.
  std::string_view path;
  std::string_view outcome;  ///< answered, trickled, truncated, reset, hang, stream_error, wrong_content_type
  std::string_view stop_reason;
  price_tier tier = price_tier::standard;
};

class bill_file {
 public:
  bill_file() = default;
  bill_file(bill_file&& other) noexcept;
  bill_file& operator=(bill_file&& other) noexcept;
  bill_file(const bill_file&) = delete;
  bill_file& operator=(const bill_file&) = delete;
  ~bill_file();

  /// Opens for appending, mode 0600; an empty path keeps no bill.
  [[nodiscard]] static expected<bill_file> open(const std::filesystem::path& path);

  /// Adds one line. Fails with `ec::disk_full` or `ec::io`.
  [[nodiscard]] expected<void> add(const bill_entry& entry);

 private:
  int file_ = -1;
  std::filesystem::path path_;
  std::string line_;
};

}  // namespace cohort::simulator
