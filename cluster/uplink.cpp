// Connects and shakes hands without blocking, under one deadline; then a thread moves the bytes.

#include "cluster/uplink.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <thread>

#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/log.hpp"
#include "cluster/relay.hpp"
#include "cluster/tls.hpp"

namespace cohort::cluster {

namespace {

constexpr int longest_wait_ms = 250;

using addresses_ptr = std::unique_ptr<addrinfo, freed_by<&freeaddrinfo>>;

/// False at the deadline.
bool wait_for(int fd, short events, steady_time deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
    if (left <= milliseconds{0}) return false;
    pollfd entry{fd, events, 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

tl::unexpected<error> unreachable(const net_address& where, const std::string& why) {
  return fail(ec::connect_failed, fmt::format("cannot reach the coordinator at {}: {}", to_string(where), why));
}

/// 0, or the reason why this address cannot be connected.
int try_connect(int fd, const addrinfo& target, steady_time deadline) {
  if (::connect(fd, target.ai_addr, target.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!wait_for(fd, POLLOUT, deadline)) return ETIMEDOUT;
  int why = 0;
  socklen_t size = sizeof why;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &size) != 0) return errno;
  return why;
}

/// The peer's alerts that mean "I do not accept your certificate".
bool refuses_us(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return false;
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE: return true;
    default: return false;
  }
}

expected<void> explain(SSL& link, int step, const net_address& where, const cluster_credentials& own) {
  const int kind = SSL_get_error(&link, step);
  const auto code = ERR_peek_last_error();
  if (const auto verdict = SSL_get_verify_result(&link); verdict != X509_V_OK)
    return fail(
        ec::certificate_refused,
        fmt::format("the certificate of {} does not belong to the cluster in '{}': {}. Is it another cluster, or "
                    "was a new authority made? Copy ca.crt, {}.crt and {}.key anew",
                    to_string(where), own.folder().string(), X509_verify_cert_error_string(verdict), own.name(),
                    own.name()));
  if (refuses_us(code))
    return fail(
        ec::certificate_refused,
        fmt::format("the coordinator at {} refuses the certificate '{}' of '{}' ({}): it was revoked, or the folder "
                    "is another cluster's. Copy ca.crt, {}.crt and {}.key anew",
                    to_string(where), own.name(), own.folder().string(), openssl_message(), own.name(), own.name()));
  if (kind == SSL_ERROR_SSL && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return fail(ec::usage, fmt::format("{} does not speak as a coordinator does ({}); is it the port of --listen?",
                                       to_string(where), openssl_message()));
  ERR_clear_error();
  return unreachable(where, "it closed the connection");
}

template <class Step>
expected<void> drive(SSL& link, int fd, steady_time deadline, const net_address& where, const cluster_credentials& own,
                     Step&& step) {
  for (;;) {
    ERR_clear_error();
    const int done = step();
    if (done > 0) return {};
    const int interest = SSL_get_error(&link, done);
    if (interest != SSL_ERROR_WANT_READ && interest != SSL_ERROR_WANT_WRITE) return explain(link, done, where, own);
    if (!wait_for(fd, interest == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
      return unreachable(where, "it accepts connections, but does not answer");
  }
}

expected<ssl_ptr> shake_hands(int fd, steady_time deadline, const net_address& where, const cluster_credentials& own) {
  const auto context = make_tls_context(own, cluster_side::node);
  ssl_ptr link{context ? SSL_new(context.get()) : nullptr};
  if (!link || SSL_set_fd(link.get(), fd) != 1) return fail(ec::io, "cannot prepare TLS: " + openssl_message());
  const auto shaken = drive(*link, fd, deadline, where, own, [&] { return SSL_connect(link.get()); });
  if (!shaken) return tl::unexpected{shaken.error()};
  // With TLS 1.3 the coordinator checks our certificate after our handshake is over: its first byte shows the result.
  char first = 0;
  const auto checked = drive(*link, fd, deadline, where, own, [&] { return SSL_peek(link.get(), &first, 1); });
  if (!checked) return tl::unexpected{checked.error()};
  return link;
}

expected<std::unique_ptr<relay>> reach(const net_address& where, const cluster_credentials& own, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found);
      failed != 0)
    return unreachable(where, ::gai_strerror(failed));
  const addresses_ptr addresses{found};
  int why = ECONNREFUSED;
  for (const addrinfo* target = found; target != nullptr; target = target->ai_next) {
    descriptor fd{::socket(target->ai_family, target->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, target->ai_protocol)};
    why = fd.valid() ? try_connect(fd.get(), *target, deadline) : errno;
    if (why != 0) continue;
    const int one = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    auto link = shake_hands(fd.get(), deadline, where, own);
    if (!link) return tl::unexpected{link.error()};
    return std::make_unique<relay>(std::move(fd), std::move(*link), cluster_side::node);
  }
  return unreachable(where, std::strerror(why));
}

}  // namespace

/// The thread that moves bytes until one side has ended.
class uplink::carrier {
 public:
  carrier(std::unique_ptr<relay> talk, descriptor framework)
      : talk_(std::move(talk)), framework_(std::move(framework)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    thread_ = std::thread{[this] { carry(); }};
  }
  carrier(const carrier&) = delete;
  carrier& operator=(const carrier&) = delete;
  ~carrier() {
    stopping_ = true;
    const uint64_t one = 1;
    if (::write(wake_.get(), &one, sizeof one) < 0) log_warning("the connection's thread could not be woken");
    thread_.join();
  }
  descriptor take_inside() { return std::move(framework_); }

 private:
  void carry();
  void wait() const;

  std::unique_ptr<relay> talk_;
  descriptor framework_;
  descriptor wake_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

void uplink::carrier::wait() const {
  const auto interest = talk_->wants(steady_clock::now());
  const auto events = [](bool reads, bool writes) {
    return static_cast<short>((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
  };
  std::array<pollfd, 3> watched{pollfd{talk_->outside(), events(interest.read_outside, interest.write_outside), 0},
                                pollfd{talk_->inside(), events(interest.read_inside, interest.write_inside), 0},
                                pollfd{wake_.get(), POLLIN, 0}};
  ::poll(watched.data(), watched.size(), talk_->busy() ? 0 : longest_wait_ms);
}

void uplink::carrier::carry() {
  block_broken_pipes();
  while (!stopping_) {
    const auto how = talk_->move(steady_clock::now());
    if (how == relay::state::breach) log_warning("the coordinator said what no coordinator says; it was cut off");
    if (how != relay::state::goes_on) break;
    wait();
  }
  talk_.reset();  // Closes both ends, so that the framework and the coordinator notice.
}

uplink::uplink(std::unique_ptr<carrier> inner) : inner_(std::move(inner)) {}
uplink::~uplink() = default;

expected<std::unique_ptr<uplink>> uplink::connect(const net_address& where, const cluster_credentials& own,
                                                  milliseconds timeout) {
  block_broken_pipes();
  auto talk = reach(where, own, timeout);
  if (!talk) return tl::unexpected{talk.error()};
  auto framework = (*talk)->open_inside();
  if (!framework) return tl::unexpected{framework.error()};
  return std::unique_ptr<uplink>{new uplink{std::make_unique<carrier>(std::move(*talk), std::move(*framework))}};
}

descriptor uplink::take_inside() { return inner_->take_inside(); }

}  // namespace cohort::cluster
