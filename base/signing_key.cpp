// Reads or makes the key file of this user, and signs with HMAC-SHA-256 of OpenSSL.

#include "base/signing_key.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pwd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.hpp"

namespace cohort::inline base {

namespace fs = std::filesystem;

namespace {

constexpr const char* key_name = "signing-key";
constexpr size_t key_size = 32;

std::string home_of_user() {
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') return home;
  const auto* entry = ::getpwuid(::geteuid());
  return entry != nullptr && entry->pw_dir != nullptr && *entry->pw_dir == '/' ? entry->pw_dir : std::string{};
}

/// Refuses what another user could have put there.
expected<void> check_own(int fd, const fs::path& path, mode_t forbidden, std::string_view cure) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return tl::unexpected{system_error(errno, "inspect", path)};
  if (info.st_uid != ::geteuid())
    return fail(ec::permission_denied,
                fmt::format("'{}' belongs to another user; set XDG_STATE_HOME to a folder of yours",
                            printable(path.native(), 1000)));
  if ((info.st_mode & forbidden) != 0)
    return fail(ec::permission_denied,
                fmt::format("'{}' is open to other users; run: chmod {} '{}'", printable(path.native(), 1000), cure,
                            printable(path.native(), 1000)));
  return {};
}

/// Resolves links in the path of the home folder, because files below it are opened without following links.
expected<folder> checked(expected<folder> opened) {
  if (!opened) return opened;
  std::error_code failed;
  const auto real = fs::canonical(opened->path(), failed);
  if (failed) return tl::unexpected{system_error(failed.value(), "resolve", opened->path())};
  if (real != opened->path()) opened = folder::open(real);
  if (!opened) return opened;
  if (auto own = check_own(opened->fd(), opened->path(), S_IWGRP | S_IWOTH, "go-w"); !own)
    return tl::unexpected{own.error()};
  return opened;
}

expected<std::string> random_bytes(size_t count) {
  std::string bytes(count, '\0');
  if (::getrandom(bytes.data(), count, 0) != static_cast<ssize_t>(count))
    return fail(ec::io, "the system gives no random bytes for a key");
  return bytes;
}

/// Two programs may make the first key at the same moment: the file that is created first counts.
expected<void> make_key(const folder& user_state) {
  auto secret = random_bytes(key_size);
  if (!secret) return tl::unexpected{secret.error()};
  const auto draft = fmt::format("{}.{}", key_name, random_hex(8));
  auto written = user_state.replace(draft, *secret, durability::now, access::own);
  OPENSSL_cleanse(secret->data(), secret->size());
  if (!written) return written;
  const bool first = ::linkat(user_state.fd(), draft.c_str(), user_state.fd(), key_name, 0) == 0;
  const int why = errno;
  (void)user_state.remove(draft);
  if (!first && why != EEXIST)
    return tl::unexpected{system_error(why, "create the signing key", user_state.path() / key_name)};
  return user_state.sync();
}

}  // namespace

expected<fs::path> user_state_path() {
  // The XDG specification: a relative path there is to be ignored.
  if (const char* chosen = std::getenv("XDG_STATE_HOME"); chosen != nullptr && *chosen == '/')
    return fs::path{chosen} / "cohort";
  const auto home = home_of_user();
  if (home.empty())
    return fail(ec::config_invalid, "this user has no home folder; set XDG_STATE_HOME to a folder of yours");
  return fs::path{home} / ".local/state/cohort";
}

expected<folder> open_user_state() {
  const auto path = user_state_path();
  if (!path) return tl::unexpected{path.error()};
  return checked(folder::open(*path));
}

expected<folder> make_user_state() {
  const auto path = user_state_path();
  if (!path) return tl::unexpected{path.error()};
  auto made = folder::make(*path, access::own);
  if (!made)
    return fail(made.error().code,
                made.error().message + "; state is signed with a key in that folder, which XDG_STATE_HOME can move");
  return checked(std::move(made));
}

expected<signing_key> signing_key::read(const folder& user_state) {
  const auto path = user_state.path() / key_name;
  const auto file = user_state.open_file(key_name, O_RDONLY);
  if (!file) return tl::unexpected{file.error()};
  if (auto own = check_own(file->get(), path, S_IRWXG | S_IRWXO, "600"); !own) return tl::unexpected{own.error()};
  auto secret = user_state.read(key_name, 4096);
  if (!secret) return tl::unexpected{secret.error()};
  if (secret->size() != key_size)
    return fail(
        ec::config_invalid,
        fmt::format("'{}' is no signing key: it has {} bytes instead of {}. Restore it from a backup; or remove "
                    "it, and take over each project's state with `cohort trust PROJECT`",
                    printable(path.native(), 1000), secret->size(), key_size));
  digest value;
  std::memcpy(value.bytes.data(), secret->data(), key_size);
  OPENSSL_cleanse(secret->data(), secret->size());
  return signing_key{value};
}

expected<std::optional<signing_key>> signing_key::load() {
  const auto user_state = open_user_state();
  if (!user_state && user_state.error().code == ec::not_found) return std::optional<signing_key>{};
  if (!user_state) return tl::unexpected{user_state.error()};
  auto key = read(*user_state);
  if (!key && key.error().code == ec::not_found) return std::optional<signing_key>{};
  if (!key) return tl::unexpected{key.error()};
  return std::optional{*key};
}

expected<signing_key> signing_key::load_or_make() {
  const auto user_state = make_user_state();
  if (!user_state) return tl::unexpected{user_state.error()};
  auto key = read(*user_state);
  if (key || key.error().code != ec::not_found) return key;
  if (auto made = make_key(*user_state); !made) return tl::unexpected{made.error()};
  return read(*user_state);
}

expected<signing_key> signing_key::ephemeral() {
  auto secret = random_bytes(key_size);
  if (!secret) return tl::unexpected{secret.error()};
  digest value;
  std::memcpy(value.bytes.data(), secret->data(), key_size);
  return signing_key{value};
}

digest signing_key::sign(std::string_view data) const {
  digest result;
  unsigned int length = 0;
  ::HMAC(EVP_sha256(), secret_.bytes.data(), static_cast<int>(secret_.bytes.size()),
         reinterpret_cast<const unsigned char*>(data.data()), data.size(), result.bytes.data(), &length);
  return result;
}

signing_key signing_key::for_purpose(std::string_view purpose, std::string_view name) const {
  const auto what = sha256_of_fields({purpose, name});
  return signing_key{sign({reinterpret_cast<const char*>(what.bytes.data()), what.bytes.size()})};
}

std::array<uint64_t, 2> signing_key::halves() const noexcept {
  std::array<uint64_t, 2> words{};
  std::memcpy(words.data(), secret_.bytes.data(), sizeof words);
  return words;
}

bool same_signature(const digest& a, const digest& b) noexcept {
  return CRYPTO_memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

}  // namespace cohort::inline base
