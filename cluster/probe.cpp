// Non-blocking connect and handshake under one deadline.

#include "cluster/probe.hpp"

#include <cerrno>
#include <cstring>

#include <fmt/format.h>
#include <netdb.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/certificates.hpp"

namespace cohort {

namespace {

class socket_owner {
 public:
  explicit socket_owner(int fd) noexcept : fd_(fd) {}
  socket_owner(const socket_owner&) = delete;
  socket_owner& operator=(const socket_owner&) = delete;
  ~socket_owner() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }

 private:
  int fd_;
};

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

ssl_context_ptr make_context(const cluster_credentials& own) {
  ssl_context_ptr context{SSL_CTX_new(TLS_client_method())};
  if (!context) return context;
  const bool fine = SSL_CTX_load_verify_locations(context.get(), own.authority_path().c_str(), nullptr) == 1 &&
                    SSL_CTX_use_certificate_chain_file(context.get(), own.certificate_path().c_str()) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context.get(), own.key_path().c_str(), SSL_FILETYPE_PEM) == 1;
  if (!fine) context.reset();
  if (context) SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
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
                    to_string(where), own.name(), own.folder().string(), openssl_words(), own.name(), own.name()));
  if (kind == SSL_ERROR_SSL && ERR_GET_REASON(code) != SSL_R_UNEXPECTED_EOF_WHILE_READING)
    return fail(ec::usage, fmt::format("{} does not speak as a coordinator does ({}); is it the port of --listen?",
                                       to_string(where), openssl_words()));
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
    const int wish = SSL_get_error(&link, done);
    if (wish != SSL_ERROR_WANT_READ && wish != SSL_ERROR_WANT_WRITE) return explain(link, done, where, own);
    if (!wait_for(fd, wish == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline))
      return unreachable(where, "it accepts connections, but does not answer");
  }
}

expected<void> shake_hands(int fd, steady_time deadline, const net_address& where, const cluster_credentials& own) {
  ERR_clear_error();
  const auto context = make_context(own);
  const ssl_ptr link{context ? SSL_new(context.get()) : nullptr};
  if (!link || SSL_set_fd(link.get(), fd) != 1) return fail(ec::io, "cannot prepare TLS: " + openssl_words());
  auto shaken = drive(*link, fd, deadline, where, own, [&] { return SSL_connect(link.get()); });
  if (!shaken) return shaken;
  // With TLS 1.3 the coordinator judges our certificate after our handshake is over: its first byte is the verdict.
  char first = 0;
  return drive(*link, fd, deadline, where, own, [&] { return SSL_read(link.get(), &first, 1); });
}

}  // namespace

expected<void> probe_coordinator(const net_address& where, const cluster_credentials& own, milliseconds timeout) {
  const auto deadline = steady_clock::now() + timeout;
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wish, &found);
      failed != 0)
    return unreachable(where, ::gai_strerror(failed));
  const addresses_ptr addresses{found};
  int why = ECONNREFUSED;
  for (const addrinfo* target = found; target != nullptr; target = target->ai_next) {
    const socket_owner link{
        ::socket(target->ai_family, target->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, target->ai_protocol)};
    if (link.get() < 0) {
      why = errno;
      continue;
    }
    why = try_connect(link.get(), *target, deadline);
    if (why == 0) return shake_hands(link.get(), deadline, where, own);
  }
  return unreachable(where, std::strerror(why));
}

}  // namespace cohort
