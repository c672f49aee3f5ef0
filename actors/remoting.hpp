// The only file that knows the framework's network layer: mutual TLS always, heartbeats at both ends, node identities
// that are random instead of host and process id.
#pragma once

#include <memory>

#include <caf/actor_system_config.hpp>

#include "actors/interfaces.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"

namespace cohort {

/// The network layer's own heartbeats only clear dead connections away; leases and pulses of ours decide who is lost.
/// With each heartbeat the framework drops a connection that is just being made, so the side that dials has few of
/// them.
struct link_times {
  milliseconds heartbeat{1000};
  milliseconds silence{15'000};  ///< Ends a connection.
};

/// Loads the network layer with `own` credentials, which must outlive the actor system.
void load_remoting(caf::actor_system_config& config, const cluster_credentials& own, const link_times& times);

/// Publishes the HUB on loopback; returns the port for the DOORKEEPER. `ec::connect_failed`.
[[nodiscard]] expected<uint16_t> publish_hub(const hub_actor& hub);

/// DIALER. Only for a detached actor: it blocks.
dialer_actor::behavior_type dialer(dialer_actor::pointer self, net_address where,
                                   std::shared_ptr<const cluster_credentials> own);

}  // namespace cohort
