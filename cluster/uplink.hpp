// UPLINK: connects a node with its coordinator. It makes the connection and the TLS handshake, so that both sides say
// which certificate was refused and why, and hands the actor framework one end of a socket pair.
#pragma once

#include <memory>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/folder.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"

namespace cohort::cluster {

class uplink {
 public:
  /// Connects, shakes hands, waits for the coordinator's first byte. Blocks up to `timeout`.
  /// Errors: `ec::connect_failed` (nobody there, no answer in time; trying again may help), `ec::certificate_refused`
  /// (either side refused the other's certificate; trying again does not help), `ec::usage` (it does not speak TLS).
  [[nodiscard]] static expected<std::unique_ptr<uplink>> connect(const net_address& where,
                                                                 const cluster_credentials& own, milliseconds timeout);

  uplink(const uplink&) = delete;
  uplink& operator=(const uplink&) = delete;
  /// Ends the connection.
  ~uplink();

  /// The framework's end; may be taken once.
  [[nodiscard]] descriptor take_inside();

 private:
  class carrier;
  explicit uplink(std::unique_ptr<carrier> inner);
  std::unique_ptr<carrier> inner_;
};

}  // namespace cohort::cluster
