// Four functions of OpenSSL under their own names. The loader finds those of the program before those of libssl, so the
// framework calls these. "The current thread's error queue must be empty before the TLS/SSL I/O operation is
// attempted", says the manual of SSL_get_error.

#include "cluster/tls_errors.hpp"

#include <dlfcn.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace {

template <class Call>
Call real(const char* name) {
  return reinterpret_cast<Call>(::dlsym(RTLD_NEXT, name));
}

using shake_call = int (*)(SSL*);
using read_call = int (*)(SSL*, void*, int);
using write_call = int (*)(SSL*, const void*, int);

struct real_calls {
  shake_call accept = real<shake_call>("SSL_accept");
  shake_call connect = real<shake_call>("SSL_connect");
  read_call read = real<read_call>("SSL_read");
  write_call write = real<write_call>("SSL_write");
};

const real_calls& openssl() {
  static const real_calls found;
  return found;
}

}  // namespace

extern "C" {

int SSL_accept(SSL* link) {
  ERR_clear_error();
  return openssl().accept(link);
}

int SSL_connect(SSL* link) {
  ERR_clear_error();
  return openssl().connect(link);
}

int SSL_read(SSL* link, void* into, int size) {
  ERR_clear_error();
  return openssl().read(link, into, size);
}

int SSL_write(SSL* link, const void* from, int size) {
  ERR_clear_error();
  return openssl().write(link, from, size);
}

}  // extern "C"

namespace cohort {

bool keep_tls_errors_apart() {
  const auto& calls = openssl();
  return calls.accept != nullptr && calls.connect != nullptr && calls.read != nullptr && calls.write != nullptr;
}

}  // namespace cohort
