// RELAY: connects the actor framework with another machine. On the outside it speaks TLS; on the inside it has one end
// of a socket pair, whose other end the framework holds. So the framework needs no port that anybody else on this
// machine could reach. Only whole frames pass, each checked by a `frame_guard`.
// Invariant: nothing is read for which there is no room.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/folder.hpp"
#include "cluster/certificates.hpp"
#include "cluster/frames.hpp"

namespace cohort::cluster {

/// Bytes that wait: taken from the front, added at the end.
class byte_queue {
 public:
  [[nodiscard]] std::string_view view() const noexcept { return std::string_view{bytes_}.substr(taken_); }
  [[nodiscard]] size_t size() const noexcept { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  void add(std::string_view more);
  void take(size_t count) noexcept;

 private:
  std::string bytes_;
  size_t taken_ = 0;
};

class relay {
 public:
  /// `link` has finished its handshake on `outside`, which does not block.
  relay(descriptor outside, ssl_ptr link, cluster_side own);
  relay(const relay&) = delete;
  relay& operator=(const relay&) = delete;
  ~relay();

  /// Makes the socket pair, once; returns the framework's end.
  [[nodiscard]] expected<descriptor> open_inside();

  enum class state : uint8_t { goes_on, over, breach };
  /// Moves what can be moved without waiting, some megabytes at most.
  [[nodiscard]] state move(steady_time now);

  struct interest {
    bool read_outside = false;
    bool write_outside = false;
    bool read_inside = false;
    bool write_inside = false;
  };
  [[nodiscard]] interest wants(steady_time now) const noexcept;
  /// The last `move` stopped although more could be moved, so that other connections get their turn.
  [[nodiscard]] bool busy() const noexcept { return busy_; }
  /// The other side has sent too many frames in this second: reading goes on in the next second.
  [[nodiscard]] bool slowed() const noexcept;
  [[nodiscard]] int outside() const noexcept { return outside_.get(); }
  [[nodiscard]] int inside() const noexcept { return inside_.get(); }
  [[nodiscard]] const frame_guard& guard() const noexcept { return guard_; }
  [[nodiscard]] SSL& link() const noexcept { return *link_; }

 private:
  bool receive();
  bool check_frame();
  bool give_in();
  bool take_out();
  bool announce();
  bool send();
  [[nodiscard]] bool may_read(steady_time now) const noexcept;

  descriptor outside_;
  descriptor inside_;
  ssl_ptr link_;
  frame_guard guard_;
  byte_queue came_;     ///< From outside, not checked yet.
  byte_queue passed_;   ///< Checked, for the framework.
  byte_queue said_;     ///< From the framework, not a whole frame yet.
  byte_queue leaving_;  ///< For outside.
  bool read_wants_write_ = false;
  bool write_wants_read_ = false;
  bool outside_ended_ = false;
  bool inside_ended_ = false;
  bool breach_ = false;
  bool busy_ = false;
  uint32_t frames_ = 0;  ///< In the second that began at `second_`: a peer that sends too many is read more slowly.
  steady_time second_{};
};

}  // namespace cohort::cluster
