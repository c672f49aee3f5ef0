// Splits an address at its last colon; IPv6 stands in brackets.

#include "cluster/address.hpp"

#include <charconv>

#include <fmt/format.h>

namespace cohort::cluster {

expected<net_address> parse_address(std::string_view text) {
  const auto wrong = [&] {
    return fail(ec::usage,
                fmt::format("'{}' is no address; write HOST:PORT, such as 10.0.0.5:4242 or [::1]:4242", text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return wrong();
  net_address address;
  auto host = text.substr(0, colon);
  const auto port = text.substr(colon + 1);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return wrong();
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong();
  }
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc{} || end != port.data() + port.size()) return wrong();
  address.host = host;
  return address;
}

std::string to_string(const net_address& address) {
  const bool bare = address.host.find(':') == std::string::npos;
  return bare ? fmt::format("{}:{}", address.host, address.port) : fmt::format("[{}]:{}", address.host, address.port);
}

}  // namespace cohort::cluster
