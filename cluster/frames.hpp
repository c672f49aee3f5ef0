// Checks the actor framework's frames that another machine sends. The framework trusts every connected peer: a frame of
// 32 bytes can end its process, another can name any of its actors, another announce 4 GB. So each frame is checked
// before the framework sees it, and only frames that our own nodes and coordinators send pass.
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

/// Bytes of the frame that begins here, its head included; nothing while the head is incomplete.
[[nodiscard]] std::optional<size_t> frame_size(std::string_view bytes) noexcept;

enum class frame_verdict : uint8_t {
  pass,
  drop,    ///< Messages between the frameworks that nobody needs.
  breach,  ///< No process of ours sends this: the connection ends.
};

/// Checks the frames of one connection. It learns from the handshakes who the two sides are. A peer cannot speak for
/// anybody else: its frames carry its own identity and one sender, and go to the one actor that is meant for it.
class frame_guard {
 public:
  explicit frame_guard(cluster_side own) noexcept : own_(own) {}

  /// A whole frame that our framework sends.
  void outgoing(std::string_view frame);
  /// A whole frame that came in. Not to be called before `ready`.
  [[nodiscard]] frame_verdict incoming(std::string_view frame);

  /// False until a coordinator's own handshake was seen, because that names the actor to which a peer may talk.
  [[nodiscard]] bool ready() const noexcept { return own_ == cluster_side::node || !self_.empty(); }
  /// The other side's actor system; empty before its handshake.
  [[nodiscard]] const std::string& peer() const noexcept { return peer_; }
  /// A node has sent its hello, or a coordinator was sent one.
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
