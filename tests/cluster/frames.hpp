// Frames as the framework makes them.
#pragma once

#include <cstdint>
#include <string>

namespace cohort::cluster {

inline std::string big_endian(uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}

inline std::string frame(char operation, char flags, const std::string& payload, uint64_t data = 0, uint64_t sender = 0,
                         uint64_t receiver = 0) {
  return std::string{operation, 0, 0, flags} + big_endian(payload.size(), 4) + big_endian(data, 8) +
         big_endian(sender, 8) + big_endian(receiver, 8) + payload;
}

inline std::string hub_identity() { return std::string(32, 'H'); }
inline std::string node_identity() { return std::string(32, 'N'); }
constexpr uint64_t hub_actor_id = 11;
constexpr uint64_t node_actor_id = 22;
constexpr uint64_t asynchronous = 1ULL << 60;
constexpr uint64_t a_request = asynchronous | 5;
constexpr uint64_t a_response = a_request | 1ULL << 63;

inline std::string server_handshake() {
  return frame(0, 0,
               hub_identity() +
                   "\x01\x03"
                   "abc" +
                   big_endian(hub_actor_id, 8) + std::string(1, '\0'),
               4);
}
inline std::string client_handshake(char flags = 0) { return frame(1, flags, node_identity()); }

inline std::string content(const std::string& types, const std::string& fields) {
  return std::string(3, '\0') + static_cast<char>(types.size()) + types + fields;
}
inline std::string to_hub(const std::string& types, const std::string& fields, uint64_t data = asynchronous,
                          uint64_t sender = node_actor_id, uint64_t receiver = hub_actor_id) {
  return frame(2, 0, content(types, fields), data, sender, receiver);
}
inline std::string to_node(const std::string& types, const std::string& fields, uint64_t data = asynchronous,
                           uint64_t sender = hub_actor_id, uint64_t receiver = node_actor_id) {
  return frame(2, 0, content(types, fields), data, sender, receiver);
}
inline std::string hello_message(uint64_t way_back = node_actor_id, const std::string& where = node_identity()) {
  return to_hub("@<>+cohort::actors::node_call", "hello" + big_endian(way_back, 8) + where, a_request);
}

}  // namespace cohort::cluster
