// Reads keys and addresses from the environment. People typed these values, so each is checked before it becomes a
// header or a URL.

#include "claude/api/credentials.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::claude {

namespace {

std::string trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return std::string{text};
}

/// The part of an address before the '@', and the password in it.
void register_password(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme != std::string_view::npos) url.remove_prefix(scheme + 3);
  const auto user = url.substr(0, url.rfind('@') == std::string_view::npos ? 0 : url.rfind('@'));
  register_secret(user);
  if (const auto colon = user.find(':'); colon != std::string_view::npos) register_secret(user.substr(colon + 1));
}

/// Looks as libcurl does: at the variable of the scheme, then at the one for all schemes. "HTTP_PROXY" is not among
/// them, because web servers set it from a request's header.
std::string proxy_for(std::string_view url, const environment& env) {
  const bool tls = url.substr(0, 6) == "https:";
  for (const char* name : {tls ? "https_proxy" : "http_proxy", tls ? "HTTPS_PROXY" : "", "all_proxy", "ALL_PROXY"}) {
    const auto value = *name == '\0' ? std::nullopt : env(name);
    if (!value) continue;
    register_password(*value);
    return *value;
  }
  return {};
}

std::string value_of(const environment& env, const char* name) { return trimmed(env(name).value_or("")); }

bool visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7F; });
}

/// The value itself is not shown: it may be a key with one wrong character.
expected<std::string> credential_header(const char* variable, std::string_view prefix, const std::string& secret) {
  register_secret(secret);
  if (!visible(secret))
    return fail(ec::config_invalid, fmt::format("{} holds a space, a line break or a character that is not ASCII. "
                                                "Set it to the key alone.",
                                                variable));
  return fmt::format("{}{}", prefix, secret);
}

bool host_is_plain(std::string_view host) {
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_' || c == ':';
  });
}

bool port_is_valid(std::string_view port) {
  uint32_t number = 0;
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), number);
  return failed == std::errc{} && end == port.data() + port.size() && number >= 1 && number <= 65535;
}

}  // namespace

expected<std::string> checked_base_url(std::string_view url) {
  const auto refuse = [](std::string_view why) {
    return fail(ec::config_invalid,
                fmt::format("ANTHROPIC_BASE_URL {}. Set it to an address such as https://api.anthropic.com", why));
  };
  if (!visible(url)) return refuse("holds a space or a character that is not ASCII");
  const auto scheme_end = url.find("://");
  const auto scheme = url.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (scheme != "http" && scheme != "https") return refuse("does not begin with http:// or https://");
  const auto rest = url.substr(scheme_end + 3);
  if (rest.find_first_of("?#") != std::string_view::npos) return refuse("holds a query or a fragment");
  const auto authority = rest.substr(0, rest.find('/'));
  if (authority.find('@') != std::string_view::npos) return refuse("holds a user name or a password");
  const auto bracket = authority.rfind(']');
  const auto colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (!host_is_plain(authority.substr(0, colon))) return refuse("names no host");
  if (colon != std::string_view::npos && !port_is_valid(authority.substr(colon + 1))) return refuse("has a wrong port");
  while (url.back() == '/') url.remove_suffix(1);
  return std::string{url};
}

expected<endpoint> endpoint_from(const environment& env, const claude_settings& settings) {
  endpoint result;
  result.api_version = settings.api_version;
  result.ca_file = value_of(env, "SSL_CERT_FILE");
  const auto key = value_of(env, "ANTHROPIC_API_KEY");
  const auto token = value_of(env, "ANTHROPIC_AUTH_TOKEN");
  if (!token.empty()) register_secret(token);
  if (key.empty() && token.empty())
    return fail(ec::no_credentials,
                "no API key is set. Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), or try it without a key: "
                "--provider simulator");
  auto header = key.empty() ? credential_header("ANTHROPIC_AUTH_TOKEN", "Authorization: Bearer ", token)
                            : credential_header("ANTHROPIC_API_KEY", "x-api-key: ", key);
  if (!header) return tl::unexpected(header.error());
  result.headers.push_back(std::move(*header));
  const auto given = value_of(env, "ANTHROPIC_BASE_URL");
  auto url = checked_base_url(given.empty() ? settings.base_url : given);
  if (!url) return tl::unexpected(url.error());
  result.base_url = std::move(*url);
  result.proxy = proxy_for(result.base_url, env);
  return result;
}

expected<endpoint> endpoint_at(std::string_view url, std::string_view api_key, const claude_settings& settings) {
  const auto env = [&](const char* name) -> std::optional<std::string> {
    const std::string_view wanted{name};
    if (wanted == "ANTHROPIC_BASE_URL") return std::string{url};
    if (wanted == "ANTHROPIC_API_KEY") return std::string{api_key};
    return std::nullopt;
  };
  return endpoint_from(env, settings);
}

}  // namespace cohort::claude
