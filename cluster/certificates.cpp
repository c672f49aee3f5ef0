// Reads and writes keys and certificates as PEM.

#include "cluster/certificates.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/files.hpp"

namespace cohort::cluster {

namespace {

constexpr uint64_t largest_file = 1 << 20;
using bio_ptr = std::unique_ptr<BIO, freed_by<&BIO_free_all>>;

expected<std::string> written(BIO& sink, int ok) {
  if (ok != 1) return fail(ec::io, "cannot encode a certificate or key: " + openssl_message());
  char* data = nullptr;
  const auto size = BIO_get_mem_data(&sink, &data);
  return std::string{data, static_cast<size_t>(size)};
}

expected<bio_ptr> opened(const std::filesystem::path& file, std::string& text) {
  auto content = read_file(file, largest_file);
  if (!content) return tl::unexpected{content.error()};
  text = std::move(*content);
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

}  // namespace

std::string openssl_message() {
  std::string text;
  for (auto code = ERR_get_error(); code != 0; code = ERR_get_error()) {
    const char* reason = ERR_reason_error_string(code);
    text = reason != nullptr ? reason : fmt::format("error {:x}", code);
  }
  return text.empty() ? "no reason given" : text;
}

expected<certificate_ptr> read_certificate(const std::filesystem::path& file) {
  std::string text;
  auto source = opened(file, text);
  if (!source) return tl::unexpected{source.error()};
  certificate_ptr found{PEM_read_bio_X509(source->get(), nullptr, nullptr, nullptr)};
  if (!found)
    return fail(ec::config_invalid, fmt::format("'{}' is no certificate: {}", file.string(), openssl_message()));
  return found;
}

expected<key_ptr> read_key(const std::filesystem::path& file) {
  std::string text;
  auto source = opened(file, text);
  if (!source) return tl::unexpected{source.error()};
  key_ptr found{PEM_read_bio_PrivateKey(source->get(), nullptr, nullptr, nullptr)};
  OPENSSL_cleanse(text.data(), text.size());
  if (!found)
    return fail(ec::config_invalid, fmt::format("'{}' is no private key: {}", file.string(), openssl_message()));
  return found;
}

expected<std::string> certificate_text(X509& certificate) {
  const bio_ptr sink{BIO_new(BIO_s_mem())};
  return written(*sink, PEM_write_bio_X509(sink.get(), &certificate));
}

expected<std::string> key_text(EVP_PKEY& key) {
  const bio_ptr sink{BIO_new(BIO_s_mem())};
  return written(*sink, PEM_write_bio_PKCS8PrivateKey(sink.get(), &key, nullptr, nullptr, 0, nullptr, nullptr));
}

}  // namespace cohort::cluster
