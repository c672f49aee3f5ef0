// Checks frames of BASP, the protocol of CAF 0.17. A head is: operation, two unused bytes, flags, the payload's length,
// the operation's data, sender, receiver, all in network order. A message's payload is: the number of actors that
// forward the message (one byte 0), two bytes 0, the length and the text of its types, its fields.

#include "cluster/frames.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace cohort::cluster {

namespace {

enum class operation : uint8_t { server_handshake, client_handshake, direct_message, routed, monitor, down, heartbeat };

constexpr uint8_t to_a_name = 1;           // Flag: the receiver is a service of the framework.
constexpr uint8_t selects = 2;             // Flag: a client's second handshake.
constexpr uint64_t response = 1ULL << 63;  // Bits of a message's number.
constexpr uint64_t stream = 1ULL << 61;    // Marks content of a stream, which the framework casts unchecked.
constexpr uint64_t request = (1ULL << 60) - 1;
constexpr size_t largest_server_handshake = 16U << 10;
constexpr size_t largest_reason = 128;  // Why an actor ended: a code, a category, and no text.
constexpr size_t largest_error = 2048;
constexpr uint32_t most_hellos = 4;

constexpr std::array<std::string_view, 5> for_a_hub{
    "@<>+cohort::actors::node_call", "@<>+cohort::actors::message_part", "@<>+cohort::actors::node_pulse",
    "@<>+cohort::actors::node_leaving", "@<>+cohort::actors::node_gone"};
constexpr std::array<std::string_view, 6> for_a_node{
    "@<>+cohort::actors::node_welcome", "@<>+cohort::actors::message_part", "@<>+cohort::actors::report_kept",
    "@<>+cohort::actors::hub_pulse",    "@<>+cohort::actors::hub_farewell", "@<>+cohort::actors::node_recall"};
constexpr std::string_view node_call_type = for_a_hub[0];
constexpr std::string_view welcome_type = for_a_node[0];
constexpr std::string_view part_type = for_a_hub[1];
constexpr size_t largest_part = 272U << 10;  // 256 KiB, and who it belongs to.
constexpr size_t largest_other = 64U << 10;
constexpr std::string_view error_type = "@<>+@error";

uint64_t number(std::string_view bytes, size_t at, size_t size) noexcept {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

operation operation_of(std::string_view frame) noexcept { return static_cast<operation>(frame[0]); }
uint8_t flags_of(std::string_view frame) noexcept { return static_cast<uint8_t>(frame[3]); }
uint64_t data_of(std::string_view frame) noexcept { return number(frame, 8, 8); }
uint64_t sender_of(std::string_view frame) noexcept { return number(frame, 16, 8); }
uint64_t receiver_of(std::string_view frame) noexcept { return number(frame, 24, 8); }
std::string_view payload_of(std::string_view frame) noexcept { return frame.substr(frame_head); }

/// Reads a length in groups of seven bits, lowest first, and removes it from `bytes`.
std::optional<size_t> take_length(std::string_view& bytes) {
  size_t value = 0;
  for (unsigned shift = 0; shift < 28 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= static_cast<size_t>(byte & 0x7FU) << shift;
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

std::optional<std::string_view> take_text(std::string_view& bytes) {
  const auto length = take_length(bytes);
  if (!length || *length > bytes.size()) return std::nullopt;
  const auto text = bytes.substr(0, *length);
  bytes.remove_prefix(*length);
  return text;
}

/// The message's types; nothing if the payload is not that of a message that came directly.
std::optional<std::string_view> types_of(std::string_view payload) {
  if (payload.size() < 3 || payload.substr(0, 3) != std::string_view{"\0\0\0", 3}) return std::nullopt;
  payload.remove_prefix(3);
  return take_text(payload);
}

/// The actor that a server's handshake offers.
uint64_t offered_by(std::string_view payload) {
  payload.remove_prefix(framework_id_bytes);
  const auto names = take_length(payload);
  for (size_t i = 0; names && i < *names; ++i)
    if (!take_text(payload)) return 0;
  return names && payload.size() >= 8 ? number(payload, 0, 8) : 0;
}

}  // namespace

std::optional<size_t> frame_size(std::string_view bytes) noexcept {
  if (bytes.size() < frame_head) return std::nullopt;
  return frame_head + static_cast<size_t>(number(bytes, 4, 4));
}

void frame_guard::outgoing(std::string_view frame) {
  const auto payload = payload_of(frame);
  const auto what = operation_of(frame);
  if (self_.empty() && payload.size() >= framework_id_bytes &&
      (what == operation::server_handshake || what == operation::client_handshake)) {
    self_ = payload.substr(0, framework_id_bytes);
    if (what == operation::server_handshake) our_actor_ = offered_by(payload);
  }
  if (own_ == cluster_side::coordinator || what != operation::direct_message || flags_of(frame) != 0) return;
  if (types_of(payload) == node_call_type) {
    our_actor_ = sender_of(frame);
    greeted_ = true;
  }
}

bool frame_guard::names_both(std::string_view payload) const {
  return payload.size() >= 2 * framework_id_bytes && payload.substr(0, framework_id_bytes) == peer_ &&
         payload.substr(framework_id_bytes, framework_id_bytes) == self_;
}

/// A client sends two handshakes: who it is, and that it uses this connection. A server sends one.
bool frame_guard::shakes_hands(std::string_view frame) {
  const auto payload = payload_of(frame);
  const bool from_client = operation_of(frame) == operation::client_handshake;
  if (from_client != (own_ == cluster_side::coordinator)) return false;
  if (sender_of(frame) != 0 || receiver_of(frame) != 0) return false;
  const bool fits =
      from_client
          ? payload.size() == framework_id_bytes && data_of(frame) == 0 && (flags_of(frame) & ~selects) == 0
          : payload.size() >= framework_id_bytes && payload.size() <= largest_server_handshake && flags_of(frame) == 0;
  const auto id = payload.substr(0, std::min(payload.size(), framework_id_bytes));
  if (!fits || id == self_ || ++handshakes_ > (from_client ? 2U : 1U)) return false;
  if (peer_.empty()) peer_ = id;
  if (!from_client) its_actor_ = offered_by(payload);
  return id == peer_ && (from_client || its_actor_ != 0);
}

frame_verdict frame_guard::message(std::string_view frame) {
  if ((flags_of(frame) & to_a_name) != 0) return frame_verdict::drop;  // Each framework asks for the other's services.
  const auto payload = payload_of(frame);
  const auto types = types_of(payload);
  if (flags_of(frame) != 0 || !types || receiver_of(frame) != our_actor_ || our_actor_ == 0)
    return frame_verdict::breach;
  const auto known = own_ == cluster_side::coordinator ? std::span<const std::string_view>{for_a_hub} : for_a_node;
  const bool is_response = (data_of(frame) & response) != 0;
  const bool is_request = !is_response && (data_of(frame) & request) != 0;
  if ((data_of(frame) & stream) != 0 || is_request != (*types == node_call_type)) return frame_verdict::breach;
  const bool is_error = *types == error_type && own_ == cluster_side::node && payload.size() <= largest_error;
  if (is_error) return is_response ? frame_verdict::pass : frame_verdict::breach;
  if (std::find(known.begin(), known.end(), *types) == known.end()) return frame_verdict::breach;
  const auto most = *types == node_call_type ? largest_frame : *types == part_type ? largest_part : largest_other;
  if (payload.size() > most) return frame_verdict::breach;
  if (is_response != (*types == welcome_type)) return frame_verdict::breach;
  if (sender_of(frame) == 0) return frame_verdict::breach;
  if (its_actor_ == 0) its_actor_ = sender_of(frame);
  if (sender_of(frame) != its_actor_) return frame_verdict::breach;
  if (*types != node_call_type) return frame_verdict::pass;
  // A hello ends with the handle for replies, which must be the sender's. To join again, a node makes another
  // connection.
  if (++hellos_ > most_hellos) return frame_verdict::breach;
  greeted_ = true;
  constexpr size_t way_back = 8 + framework_id_bytes;
  if (payload.size() < way_back) return frame_verdict::breach;
  const auto end = payload.substr(payload.size() - way_back);
  return number(end, 0, 8) == its_actor_ && end.substr(8) == peer_ ? frame_verdict::pass : frame_verdict::breach;
}

frame_verdict frame_guard::incoming(std::string_view frame) {
  const auto payload = payload_of(frame);
  const auto what = operation_of(frame);
  const auto passes = [](bool fine) { return fine ? frame_verdict::pass : frame_verdict::breach; };
  if (what == operation::server_handshake || what == operation::client_handshake) return passes(shakes_hands(frame));
  if (peer_.empty()) return frame_verdict::breach;
  switch (what) {
    case operation::heartbeat: return passes(payload.empty());
    case operation::direct_message: return message(frame);
    case operation::monitor:
      return passes(payload.size() == 2 * framework_id_bytes && names_both(payload) && flags_of(frame) == 0);
    case operation::down:
      return passes(payload.size() <= 2 * framework_id_bytes + largest_reason && names_both(payload) &&
                    flags_of(frame) == 0);
    case operation::routed:
    case operation::server_handshake:
    case operation::client_handshake: break;
  }
  return frame_verdict::breach;
}

}  // namespace cohort::cluster
