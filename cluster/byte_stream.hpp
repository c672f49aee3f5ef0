// One direction of a relayed connection: a bounded buffer between two non-blocking sockets.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace cohort {

/// Invariant: at most 256 KiB and one chunk wait; from a source whose bytes nobody takes nothing more is read.
class byte_stream {
 public:
  /// Reads what is there; false on an error.
  [[nodiscard]] bool take_in(int from);
  /// Writes what `to` takes, and tells it the end when all is written; false on an error.
  [[nodiscard]] bool give_out(int to);

  /// The source will send no more.
  void end() noexcept { ended_ = true; }
  /// The target is not to be told the end.
  void keep_open() noexcept { shut_ = true; }

  [[nodiscard]] bool ended() const noexcept { return ended_; }
  [[nodiscard]] bool empty() const noexcept { return sent_ == bytes_.size(); }
  [[nodiscard]] bool full() const noexcept;
  [[nodiscard]] size_t waiting() const noexcept { return bytes_.size() - sent_; }
  /// What waits.
  [[nodiscard]] std::string_view pending() const noexcept { return {bytes_.data() + sent_, waiting()}; }

 private:
  std::vector<char> bytes_;
  size_t sent_ = 0;  ///< Of `bytes_`.
  bool ended_ = false;
  bool shut_ = false;  ///< The target was told so.
};

}  // namespace cohort
