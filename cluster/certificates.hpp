// Wraps OpenSSL's objects in owning pointers, and reads and writes keys and certificates. For the room's own sources
// only.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/error.hpp"

namespace cohort::cluster {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<&EVP_PKEY_free>>;
using certificate_ptr = std::unique_ptr<X509, freed_by<&X509_free>>;
using ssl_context_ptr = std::unique_ptr<SSL_CTX, freed_by<&SSL_CTX_free>>;
using ssl_ptr = std::unique_ptr<SSL, freed_by<&SSL_free>>;

/// A key with its certificate.
struct identity_pair {
  key_ptr key;
  certificate_ptr certificate;
};

/// The last message in OpenSSL's error queue, which is emptied.
[[nodiscard]] std::string openssl_message();

[[nodiscard]] expected<certificate_ptr> read_certificate(const std::filesystem::path& file);
[[nodiscard]] expected<key_ptr> read_key(const std::filesystem::path& file);
[[nodiscard]] expected<std::string> certificate_text(X509& certificate);
[[nodiscard]] expected<std::string> key_text(EVP_PKEY& key);

}  // namespace cohort::cluster
