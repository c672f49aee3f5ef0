// Opens a listening port. Host names are resolved without asking the network.

#include "cluster/listener.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>

namespace cohort::cluster {

visitor_name name_of(const sockaddr_storage& peer, socklen_t size) {
  char host[NI_MAXHOST] = {0};
  char port[NI_MAXSERV] = {0};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&peer), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return {"somebody", "somebody"};
  return {host, fmt::format("{}:{}", host, port)};
}

expected<open_port> listen_at(const net_address& where) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
      failed != 0)
    return fail(ec::usage, fmt::format("--listen {}: {}", to_string(where), ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses{found, &freeaddrinfo};
  descriptor fd{::socket(found->ai_family, found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, found->ai_protocol)};
  const int one = 1;
  // After a restart a coordinator takes its port at once, although connections of the old process linger.
  if (fd.valid()) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (!fd.valid() || ::bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd.get(), SOMAXCONN) != 0) {
    const int why = errno;
    const auto code = why == EACCES ? ec::permission_denied : why == EADDRNOTAVAIL ? ec::usage : ec::connect_failed;
    return fail(code, fmt::format("cannot listen at {}: {}", to_string(where), std::strerror(why)));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  auto real = where;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&bound), &size) == 0)
    real.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                                  : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  return open_port{std::move(fd), std::move(real)};
}

}  // namespace cohort::cluster
