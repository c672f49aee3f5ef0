// A look at a coordinator's address before the actor framework connects to it: the framework's own connect blocks on a
// host that drops packets, and tells nothing about why a certificate was refused.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"

namespace cohort {

/// Connects, shakes hands as a node would, waits for the first byte and hangs up. Blocks up to `timeout`.
/// Errors: `ec::connect_failed` (nobody there, no answer in time; trying again may help), `ec::certificate_refused`
/// (either side refused the other's certificate; trying again does not help), `ec::usage` (it does not speak TLS).
[[nodiscard]] expected<void> probe_coordinator(const net_address& where, const cluster_credentials& own,
                                               milliseconds timeout);

}  // namespace cohort
