// Reads from the environment where requests go and which key pays for them, by the variables that other tools use.
// Invariant: a credential is registered as a secret before any other code can see it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "claude/api/settings.hpp"

namespace cohort::claude {

/// The address and identity that every request carries.
struct endpoint {
  std::string base_url;              ///< Without a slash at the end; may have a path.
  std::string api_version;           ///< Header `anthropic-version`.
  std::vector<std::string> headers;  ///< The credential's header line. Never log it.
  std::string ca_file;               ///< `SSL_CERT_FILE`; empty: the system's certificates.
  std::string proxy;                 ///< As the usual variables name it, with its password. Never log it.
};

/// Reads one environment variable; a parameter so that tests need not touch the process.
using environment = std::function<std::optional<std::string>(const char* name)>;

/// The process's own environment, including what `hide_secrets` removed from it.
[[nodiscard]] environment process_environment();

/// Removes keys, tokens and addresses with a password from the process's environment and overwrites them there, so that
/// neither /proc/PID/environ nor a child process has them; `process_environment` still knows them. Call once, before
/// there are threads.
void hide_secrets();

/// Forbids core dumps of this process, written or piped to a program, and lets no other process of an ordinary user
/// read its memory. libcurl keeps copies of the key that cannot be marked one by one.
void forbid_core_dumps() noexcept;

/// `ANTHROPIC_API_KEY`, else `ANTHROPIC_AUTH_TOKEN`, and `ANTHROPIC_BASE_URL`. `ec::no_credentials` says which
/// variables to set; `ec::config_invalid` if a value cannot be used.
[[nodiscard]] expected<endpoint> endpoint_from(const environment& env, const claude_settings& settings);

/// For a server of our own, for example the simulator: the address and key are given.
[[nodiscard]] expected<endpoint> endpoint_at(std::string_view url, std::string_view api_key,
                                             const claude_settings& settings);

/// `url` without slashes at its end. `ec::config_invalid` unless it is http(s)://host[:port][/path].
[[nodiscard]] expected<std::string> checked_base_url(std::string_view url);

}  // namespace cohort::claude
