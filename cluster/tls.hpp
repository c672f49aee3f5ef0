// Sets up TLS for both sides of a cluster: version 1.3 only, each side shows a certificate and checks the other's. For
// the room's own sources only.
#pragma once

#include <string>
#include <string_view>

#include "cluster/certificates.hpp"
#include "cluster/credentials.hpp"

namespace cohort::cluster {

/// Null if OpenSSL refuses; its queue of errors says why.
[[nodiscard]] ssl_context_ptr make_tls_context(const cluster_credentials& own, cluster_side side);

enum class tls_step : uint8_t { done, wants_read, wants_write, over };

/// The result of a call of OpenSSL on `link`. Each call is to begin with an empty queue of errors (`ERR_clear_error`).
[[nodiscard]] tls_step tls_step_of(SSL& link, int result) noexcept;

/// Why a client's handshake failed, for people; empty if the client only hung up.
[[nodiscard]] std::string_view why_refused(SSL& link) noexcept;

/// OpenSSL writes to sockets with write(2). Blocks SIGPIPE for the calling thread, so that a peer that has hung up is
/// an error and not a signal.
void block_broken_pipes() noexcept;

/// False if these first bytes of a connection, however few, cannot begin a TLS handshake.
[[nodiscard]] bool may_be_hello(std::string_view head) noexcept;

/// The certificate that the other side has shown.
struct shown_certificate {
  std::string digest;  ///< SHA-256 of it, 32 bytes.
  std::string name;    ///< For people.
};
[[nodiscard]] shown_certificate certificate_of(SSL& link);

}  // namespace cohort::cluster
