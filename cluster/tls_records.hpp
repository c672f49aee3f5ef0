// What can be read off TLS records without a key: whether somebody begins a handshake, and whether it was refused.
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort {

/// False if these first bytes of a connection, however few, cannot begin a TLS handshake.
[[nodiscard]] bool may_be_hello(std::string_view head) noexcept;

/// What a server's answer, from its first record on, says of a client.
enum class tls_verdict : uint8_t { none, accepted, refused };
[[nodiscard]] tls_verdict verdict_of(std::string_view answer) noexcept;

}  // namespace cohort
