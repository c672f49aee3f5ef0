// Makes one TLS context for each side, and translates the results of OpenSSL's calls.

#include "cluster/tls.hpp"

#include <csignal>

#include <openssl/err.h>

#include "base/text.hpp"

namespace cohort::cluster {

namespace {

constexpr long largest_chain = 16L * 1024;  // Bytes of certificates that the other side may show.

bool show_own(SSL_CTX& context, const cluster_credentials& own) {
  return SSL_CTX_load_verify_locations(&context, own.authority_path().c_str(), nullptr) == 1 &&
         SSL_CTX_use_certificate_chain_file(&context, own.certificate_path().c_str()) == 1 &&
         SSL_CTX_use_PrivateKey_file(&context, own.key_path().c_str(), SSL_FILETYPE_PEM) == 1 &&
         SSL_CTX_check_private_key(&context) == 1;
}

}  // namespace

ssl_context_ptr make_tls_context(const cluster_credentials& own, cluster_side side) {
  ERR_clear_error();
  const bool serves = side == cluster_side::coordinator;
  ssl_context_ptr context{SSL_CTX_new(serves ? TLS_server_method() : TLS_client_method())};
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION) != 1 || !show_own(*context, own))
    return {};
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(context.get(), 1);
  SSL_CTX_set_max_cert_list(context.get(), largest_chain);
  // No session tickets: each connection must show its certificate.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  return context;
}

tls_step tls_step_of(SSL& link, int result) noexcept {
  if (result > 0) return tls_step::done;
  switch (SSL_get_error(&link, result)) {
    case SSL_ERROR_WANT_READ: return tls_step::wants_read;
    case SSL_ERROR_WANT_WRITE: return tls_step::wants_write;
    default: return tls_step::over;
  }
}

std::string_view why_refused(SSL& link) noexcept {
  if (SSL_get_verify_result(&link) != X509_V_OK) return "it has no valid certificate of this cluster";
  const auto code = ERR_peek_last_error();
  if (code == 0 || ERR_GET_LIB(code) != ERR_LIB_SSL) return {};
  switch (ERR_GET_REASON(code)) {
    case SSL_R_UNEXPECTED_EOF_WHILE_READING: return {};
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return "it has no valid certificate of this cluster";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW: return "it does not speak TLS 1.3";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return "it does not accept the coordinator's certificate";
    default: return "it does not speak TLS as a node does";
  }
}

void block_broken_pipes() noexcept {
  sigset_t pipes;
  ::sigemptyset(&pipes);
  ::sigaddset(&pipes, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipes, nullptr);
}

// RFC 8446, 5.1: one byte of type, two of version, two of length.
bool may_be_hello(std::string_view head) noexcept {
  constexpr char handshake = 0x16;
  constexpr char major_version = 3;
  return (head.empty() || head[0] == handshake) && (head.size() < 2 || head[1] == major_version);
}

shown_certificate certificate_of(SSL& link) {
  const certificate_ptr shown{SSL_get1_peer_certificate(&link)};
  shown_certificate found;
  if (!shown) return found;
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(shown.get(), EVP_sha256(), bytes, &size) == 1)
    found.digest.assign(reinterpret_cast<const char*>(bytes), size);
  char name[128] = {0};
  if (X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name) > 0)
    found.name = printable(name, 60);
  return found;
}

}  // namespace cohort::cluster
