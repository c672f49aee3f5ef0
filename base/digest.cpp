// Computes SHA-256 with OpenSSL.

#include "base/digest.hpp"

#include <memory>
#include <random>

#include <openssl/evp.h>

namespace cohort::inline base {

namespace {

class hasher {
 public:
  hasher() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), algorithm(), nullptr); }

  hasher& update(std::string_view data) {
    EVP_DigestUpdate(context_.get(), data.data(), data.size());
    return *this;
  }

  digest finish() {
    digest result;
    unsigned int length = 0;
    EVP_DigestFinal_ex(context_.get(), result.bytes.data(), &length);
    return result;
  }

 private:
  /// Fetched once: OpenSSL 3 looks an algorithm up anew each time that it is named by `EVP_sha256`.
  static const EVP_MD* algorithm() {
    static const std::unique_ptr<EVP_MD, decltype(&EVP_MD_free)> fetched{EVP_MD_fetch(nullptr, "SHA256", nullptr),
                                                                         &EVP_MD_free};
    return fetched.get();
  }

  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

constexpr std::string_view hex_digits = "0123456789abcdef";

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

digest sha256(std::string_view data) { return hasher{}.update(data).finish(); }

digest sha256_of_fields(std::initializer_list<std::string_view> fields) {
  hasher hash;
  for (auto field : fields) {
    const uint64_t size = field.size();
    std::array<char, 8> length{};
    for (size_t i = 0; i < length.size(); ++i) length[i] = static_cast<char>(size >> (8 * i) & 0xff);
    hash.update({length.data(), length.size()}).update(field);
  }
  return hash.finish();
}

std::string to_hex(const digest& value) {
  std::string text;
  text.reserve(64);
  for (auto byte : value.bytes) {
    text.push_back(hex_digits[byte >> 4]);
    text.push_back(hex_digits[byte & 15]);
  }
  return text;
}

digest digest_from_hex(std::string_view hex) noexcept {
  digest result;
  if (hex.size() != 64) return result;
  for (size_t i = 0; i < 32; ++i) {
    const int high = hex_value(hex[2 * i]);
    const int low = hex_value(hex[2 * i + 1]);
    if (high < 0 || low < 0) return digest{};
    result.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return result;
}

std::string random_hex(size_t bytes) {
  std::random_device source;
  std::string text;
  text.reserve(bytes * 2);
  for (size_t i = 0; i < bytes * 2; ++i) text.push_back(hex_digits[source() & 15]);
  return text;
}

bool is_identity(std::string_view text) noexcept {
  return text.size() == 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace cohort::inline base
