// RFC 8446, 5.1: one byte of type, two of version, two of length.

#include "cluster/tls_records.hpp"

#include <cstddef>

namespace cohort {

namespace {

constexpr unsigned char handshake = 0x16;
constexpr unsigned char alert = 0x15;
constexpr unsigned char data = 0x17;          // With TLS 1.3 all that is encrypted, alerts too.
constexpr unsigned char major_version = 3;    // Of every version of TLS.
constexpr size_t encrypted_alert_bytes = 19;  // Level, description, inner type, tag: nothing else is so short.
constexpr size_t record_head = 5;

unsigned char byte_at(std::string_view bytes, size_t i) noexcept { return static_cast<unsigned char>(bytes[i]); }

}  // namespace

bool may_be_hello(std::string_view head) noexcept {
  return (head.empty() || byte_at(head, 0) == handshake) && (head.size() < 2 || byte_at(head, 1) == major_version);
}

tls_verdict verdict_of(std::string_view answer) noexcept {
  if (answer.size() < record_head) return tls_verdict::none;
  if (byte_at(answer, 0) == handshake) return tls_verdict::none;  // Hello, and what belongs to it.
  if (byte_at(answer, 0) == alert) return tls_verdict::refused;
  const auto length = static_cast<size_t>(byte_at(answer, 3)) << 8 | byte_at(answer, 4);
  return byte_at(answer, 0) == data && length == encrypted_alert_bytes ? tls_verdict::refused : tls_verdict::accepted;
}

}  // namespace cohort
