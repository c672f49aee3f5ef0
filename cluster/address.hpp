// Reads and writes HOST:PORT as the user types it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace cohort::cluster {

struct net_address {
  std::string host;  ///< Name or address; IPv6 without brackets.
  uint16_t port = 0;
};

/// "host:4242", "10.0.0.5:4242", "[::1]:4242". `ec::usage` names what is wrong.
[[nodiscard]] expected<net_address> parse_address(std::string_view text);

/// Inverse of `parse_address`.
[[nodiscard]] std::string to_string(const net_address& address);

}  // namespace cohort::cluster
