// Serves one client connection: reads requests one after the other, delivers replies in the manner they ask for.
// Invariant: a connection lives as long as one of its asynchronous operations; only the server's thread touches it.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "simulator/api/messages_api.hpp"

namespace cohort::simulator {

/// Serves `socket` until either side closes it. `api` must outlive the socket's io_context.
void serve_connection(boost::asio::ip::tcp::socket socket, messages_api& api);

}  // namespace cohort::simulator
