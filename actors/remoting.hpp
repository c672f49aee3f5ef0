// The only file that knows the framework's network layer: mutual TLS always, heartbeats at both ends, node identities
// that are random instead of host and process id.
#pragma once

#include <memory>

#include <caf/actor_system_config.hpp>

#include "actors/interfaces.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"

namespace cohort {

/// Loads the network layer with `own` credentials, which must outlive the actor system. `silence` of a connection ends
/// it.
void load_remoting(caf::actor_system_config& config, const cluster_credentials& own, milliseconds silence);

/// Publishes the HUB on loopback; returns the port for the DOORKEEPER. `ec::connect_failed`.
[[nodiscard]] expected<uint16_t> publish_hub(const hub_actor& hub);

/// DIALER. Only for a detached actor: it blocks.
dialer_actor::behavior_type dialer(dialer_actor::pointer self, net_address where,
                                   std::shared_ptr<const cluster_credentials> own);

}  // namespace cohort
