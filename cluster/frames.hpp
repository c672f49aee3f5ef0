// The actor framework's frames, as another machine may send them. The framework believes whoever is connected: a frame
// of 32 bytes ends its process, one names any actor of it, one announces 4 GB. So each frame is judged before the
// framework sees it, and only what our own nodes and coordinators say passes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/credentials.hpp"

namespace cohort::cluster {

inline constexpr size_t frame_head = 32;           ///< Operation, flags, length, operation's data, sender, receiver.
inline constexpr size_t framework_id_bytes = 32;   ///< An actor system's identity: its kind, a number, a digest.
inline constexpr size_t largest_frame = 2U << 20;  ///< A hello of a node that holds very many attempts.

/// Bytes of the frame that begins here, its head included; nothing while the head is not there whole.
[[nodiscard]] std::optional<size_t> frame_size(std::string_view bytes) noexcept;

enum class frame_verdict : uint8_t {
  pass,
  drop,    ///< The framework's small talk that nobody needs.
  breach,  ///< No process of ours says so: the connection ends.
};

/// Judges the frames of one connection. Who the two sides are it learns from their handshakes, and a peer can speak for
/// nobody else: its frames carry its own identity and one sender, and go to the one actor that is meant for it.
class frame_guard {
 public:
  explicit frame_guard(cluster_side own) noexcept : own_(own) {}

  /// A whole frame that our framework sends.
  void outgoing(std::string_view frame);
  /// A whole frame that came. Not to be asked before `ready`.
  [[nodiscard]] frame_verdict incoming(std::string_view frame);

  /// A coordinator's own handshake tells whom a peer may talk to: it is awaited.
  [[nodiscard]] bool ready() const noexcept { return own_ == cluster_side::node || !self_.empty(); }
  /// The other side's actor system; empty before its handshake.
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  /// A node has said its hello, or a coordinator was sent one.
  [[nodiscard]] bool greeted() const noexcept { return greeted_; }

 private:
  [[nodiscard]] bool shakes_hands(std::string_view frame);
  [[nodiscard]] frame_verdict message(std::string_view frame);
  [[nodiscard]] bool names_both(std::string_view payload) const;

  cluster_side own_;
  std::string self_;        ///< Identity of our actor system.
  std::string peer_;        ///< Identity of the other side's.
  uint64_t our_actor_ = 0;  ///< HUB or NODE of this process: the only one that a peer may address.
  uint64_t its_actor_ = 0;  ///< The only sender that the peer has.
  uint32_t handshakes_ = 0;
  uint32_t hellos_ = 0;
  bool greeted_ = false;
};

}  // namespace cohort::cluster
