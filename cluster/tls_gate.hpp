// TLS GATE: the only port of a coordinator. It speaks TLS, lets in whoever shows a certificate of the cluster, and
// hands each such connection to the actor framework as one end of a socket pair: the framework has no port, and every
// frame that reaches it was checked. Pending handshakes, connections and descriptors are bounded, so that visitors
// cannot take what the run needs.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/folder.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"

namespace cohort::cluster {

struct gate_rules {
  milliseconds handshake_time{10'000};         ///< For the handshake, and once more for the node's hello.
  uint32_t most_pending_handshakes = 256;      ///< Connections before the end of the handshake; the oldest are closed.
  uint32_t most_pending_handshakes_each = 64;  ///< Of them from one address; the oldest of that address are closed.
  uint32_t most_guests = 1024;                 ///< Connections with a finished handshake; further ones are refused.
  uint32_t breaches_until_refused = 3;         ///< By one certificate from one address: then both together are refused.
};

/// What has come to the gate so far.
struct gate_counters {
  uint64_t accepted = 0;
  uint64_t passed = 0;    ///< Finished their handshake.
  uint64_t refused = 0;   ///< Plain text, garbage, no certificate of this cluster, too slow, closed to make room.
  uint64_t breaches = 0;  ///< Let in, and cut off because they broke the protocol.
  uint32_t open = 0;      ///< Right now.
};

class tls_gate {
 public:
  /// Called on the TLS gate's thread, at most about once a second; several refusals are reported in one sentence.
  using on_refused = std::function<void(std::string)>;
  /// Gives the framework its end of a connection. Called on the TLS gate's thread.
  using hand_over = std::function<void(descriptor)>;

  /// Listens at `where` (port 0: any). Errors: `ec::usage` (no such address here), `ec::connect_failed` (in use),
  /// `ec::permission_denied`, `ec::io` (the credentials are of no use). Connections wait until `open_to`.
  [[nodiscard]] static expected<std::unique_ptr<tls_gate>> listen(const net_address& where,
                                                                  const std::shared_ptr<const cluster_credentials>& own,
                                                                  gate_rules rules = {});

  /// Starts to let connections in.
  void open_to(hand_over give, on_refused tell);

  /// Ends the connection of the actor system with this identity (`frame_guard::peer`), which broke the protocol.
  /// Thread-safe.
  void expel(std::string framework_id);

  tls_gate(const tls_gate&) = delete;
  tls_gate& operator=(const tls_gate&) = delete;
  ~tls_gate();

  [[nodiscard]] net_address address() const;  ///< With the port that is really used.
  [[nodiscard]] gate_counters counters() const;

 private:
  class loop;
  explicit tls_gate(std::unique_ptr<loop> inner);
  std::unique_ptr<loop> inner_;
};

}  // namespace cohort::cluster
