// Listens on a port of this machine and names the visitors.
#pragma once

#include <string>

#include <sys/socket.h>

#include "base/error.hpp"
#include "base/folder.hpp"
#include "cluster/address.hpp"

namespace cohort::cluster {

struct open_port {
  descriptor fd;      ///< Listens; does not block.
  net_address where;  ///< With the port that is really used.
};

/// Listens at `where` (port 0: any). Errors: `ec::usage` (no such address here), `ec::connect_failed` (in use),
/// `ec::permission_denied`.
[[nodiscard]] expected<open_port> listen_at(const net_address& where);

struct visitor_name {
  std::string host;
  std::string whole;  ///< With the port.
};

[[nodiscard]] visitor_name name_of(const sockaddr_storage& peer, socklen_t size);

}  // namespace cohort::cluster
