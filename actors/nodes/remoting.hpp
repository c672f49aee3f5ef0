// The only file that knows the framework's network layer. It has no port: connections come as socket pairs from the
// TLS GATE and from a node's UPLINK, which speak TLS. Heartbeats at both ends, node identities that are random
// instead of host and process id.
#pragma once

#include <memory>

#include <caf/actor_system_config.hpp>

#include "actors/interfaces.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"
#include "cluster/tls_gate.hpp"

namespace cohort::actors {

/// The network layer's own heartbeats only clear dead connections away; leases and pulses of ours decide who is lost.
/// With each heartbeat the framework drops a connection that is just being made, so the side that dials has few of
/// them.
struct link_times {
  milliseconds heartbeat{1000};
  milliseconds silence{15'000};  ///< Ends a connection.
};

/// Loads the network layer, which talks to systems of the same cluster only.
void load_remoting(caf::actor_system_config& config, const cluster::cluster_credentials& own, const link_times& times);

/// What the TLS GATE calls for each connection that it lets in: whoever is on it may talk to `hub`.
[[nodiscard]] cluster::tls_gate::hand_over let_in(const hub_actor& hub);

/// The identity of the actor system that `actor` lives in, as `frame_guard` reads it off the wire.
[[nodiscard]] std::string framework_id(const caf::actor_addr& actor);

/// DIALER. Only for a detached actor: it blocks.
dialer_actor::behavior_type dialer(dialer_actor::pointer self, cluster::net_address where,
                                   std::shared_ptr<const cluster::cluster_credentials> own);

}  // namespace cohort::actors
