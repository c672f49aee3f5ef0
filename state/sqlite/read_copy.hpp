// A copy of a ledger and its WAL, for reading what a killed run left without changing it. SQLite opens files by name,
// so the copy has one, but only while it is opened: a reader that is killed leaves nothing in the folder for temporary
// files.
#pragma once

#include <array>
#include <filesystem>

#include "base/error.hpp"

namespace cohort::state {

class ledger_copy {
 public:
  /// Copies both files as they are at one moment. `ec::state_locked` if they are being changed all the while.
  [[nodiscard]] static expected<ledger_copy> take(const std::filesystem::path& ledger);

  ledger_copy(ledger_copy&& other) noexcept;
  ledger_copy& operator=(ledger_copy&&) = delete;
  ~ledger_copy();

  /// Gives the copy a name, in a folder of its own, and returns that of the ledger.
  [[nodiscard]] expected<std::filesystem::path> give_name();
  /// Takes it away; who has opened the files can go on reading.
  void take_name() noexcept;

 private:
  ledger_copy() = default;
  [[nodiscard]] expected<void> copy_both(const std::filesystem::path& ledger);

  std::filesystem::path folder_;      ///< Empty while there is none.
  std::array<int, 2> files_{-1, -1};  ///< Ledger and WAL, without a name.
};

}  // namespace cohort::state
