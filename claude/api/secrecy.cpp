// Removes secrets from the process's environment, and keeps its memory from core dumps and other processes.

#include <array>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.hpp"
#include "claude/api/credentials.hpp"

namespace cohort::claude {

namespace {

/// Variables whose value is a secret as a whole.
constexpr std::array<std::string_view, 3> secrets{"ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN",
                                                  "ANTHROPIC_CUSTOM_HEADERS"};
/// Addresses, which are secret if they hold a password.
constexpr std::array<std::string_view, 7> addresses{"ANTHROPIC_BASE_URL", "http_proxy", "https_proxy", "HTTP_PROXY",
                                                    "HTTPS_PROXY",        "all_proxy",  "ALL_PROXY"};

bool is_secret(std::string_view name, std::string_view value) {
  for (const auto known : secrets)
    if (name == known) return true;
  for (const auto known : addresses)
    if (name == known) return value.find('@') != std::string_view::npos;
  return false;
}

/// Written before there are threads, and only read afterwards.
std::map<std::string, std::string>& taken() {
  static std::map<std::string, std::string> values;
  return values;
}

}  // namespace

environment process_environment() {
  return [](const char* name) -> std::optional<std::string> {
    if (const auto hit = taken().find(name); hit != taken().end()) return hit->second;
    const char* value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return std::string{value};
  };
}

void hide_secrets() {
  for (char** entry = environ; entry != nullptr && *entry != nullptr;) {
    const std::string_view whole{*entry};
    const auto equals = std::min(whole.find('='), whole.size());
    const auto name = whole.substr(0, equals);
    const auto value = whole.substr(std::min(equals + 1, whole.size()));
    if (!is_secret(name, value)) {
      ++entry;
      continue;
    }
    taken().emplace(name, value);  // If two variables have one name, the first counts, as for getenv.
    ::explicit_bzero(*entry, whole.size());
    for (char** moved = entry; *moved != nullptr; ++moved) *moved = moved[1];
  }
}

void forbid_core_dumps() noexcept {
  constexpr rlimit none{0, 0};
  (void)::setrlimit(RLIMIT_CORE, &none);       // For children as well.
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // Also where core_pattern is a program, which asks for no limit.
}

}  // namespace cohort::claude
