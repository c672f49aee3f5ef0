// Computes SHA-256 digests, for identities and for the integrity of files.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace cohort::inline base {

/// A SHA-256 digest.
struct digest {
  std::array<uint8_t, 32> bytes{};
  friend auto operator<=>(const digest&, const digest&) = default;
};

[[nodiscard]] digest sha256(std::string_view data);

/// Digest over several fields. Each is preceded by its length, so that ("ab","c") and ("a","bc") differ.
[[nodiscard]] digest sha256_of_fields(std::initializer_list<std::string_view> fields);

/// Lower-case hexadecimal; 64 characters.
[[nodiscard]] std::string to_hex(const digest& value);

/// Inverse of `to_hex`; all zero if `hex` is not 64 hexadecimal digits.
[[nodiscard]] digest digest_from_hex(std::string_view hex) noexcept;

/// `bytes` random bytes from the operating system as hexadecimal.
[[nodiscard]] std::string random_hex(size_t bytes);

/// True for 32 lower-case hexadecimal digits, as `random_hex(16)` gives them: the identity of a ledger, a spool, a
/// session. It becomes a part of names of files.
[[nodiscard]] bool is_identity(std::string_view text) noexcept;

}  // namespace cohort::inline base
