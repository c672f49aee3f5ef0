// Holds the key with which this user's program signs what it stores, and opens the user's folder that has the key file.
// Invariant: the key is in no project, in no message and in no log; whoever cannot read the folder cannot sign.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "base/folder.hpp"

namespace cohort::inline base {

/// `$XDG_STATE_HOME/cohort`, else `~/.local/state/cohort`. `ec::config_invalid` if neither is known.
[[nodiscard]] expected<std::filesystem::path> user_state_path();

/// That folder, open. `ec::not_found` if it does not exist; `ec::permission_denied` if others own it or may write it.
[[nodiscard]] expected<folder> open_user_state();
/// As `open_user_state`; creates it for this user alone.
[[nodiscard]] expected<folder> make_user_state();

/// A secret of 256 bits. `for_purpose` derives keys from it, so that what was signed for one purpose or one ledger
/// says nothing about another.
class signing_key {
 public:
  /// This user's key; nothing if there is none yet. Writes nothing.
  [[nodiscard]] static expected<std::optional<signing_key>> load();
  /// This user's key; made when it is needed for the first time.
  [[nodiscard]] static expected<signing_key> load_or_make();

  /// A key that nobody has: for a copy that only this process reads.
  [[nodiscard]] static expected<signing_key> ephemeral();

  [[nodiscard]] signing_key for_purpose(std::string_view purpose, std::string_view name = {}) const;

  /// HMAC-SHA-256 of `data`.
  [[nodiscard]] digest sign(std::string_view data) const;

  /// The first 128 bits, for signatures of rows (`state/ledger/row_signature.hpp`).
  [[nodiscard]] std::array<uint64_t, 2> halves() const noexcept;

 private:
  explicit signing_key(const digest& secret) : secret_(secret) {}
  [[nodiscard]] static expected<signing_key> read(const folder& user_state);

  digest secret_;
};

/// Compares in a time that does not depend on the content.
[[nodiscard]] bool same_signature(const digest& a, const digest& b) noexcept;

}  // namespace cohort::inline base
