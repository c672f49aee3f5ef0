// The providers there are: what each is called, which options it has, how it is reached, and what doctor and a stopped
// run advise. Another provider is another entry; nothing else lists them.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "actors/slots/worker.hpp"
#include "claude/api/credentials.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::simulator {
class simulator;
}

namespace cohort::app {

/// The provider that the user chose, with its options by flag, as given.
struct provider_choice {
  std::string name = "api";
  std::map<std::string, std::vector<std::string>, std::less<>> options;
};

/// Where requests go.
struct server_address {
  std::unique_ptr<simulator::simulator> server;  ///< Of the simulator only; has to outlive every request.
  claude::endpoint where;

  server_address();
  server_address(server_address&&) noexcept;
  server_address& operator=(server_address&&) noexcept;
  ~server_address();
};

/// An option that belongs to one provider.
struct provider_option {
  std::string_view flag;  ///< "--bill"
  std::string_view help;
  bool repeatable = false;
};

struct provider_entry {
  std::string_view name;
  std::vector<provider_option> options;
  std::string_view options_elsewhere;  ///< How else the options can be used; empty if they cannot.
  /// Errors: `ec::no_credentials` with both ways on, `ec::config_invalid`.
  expected<server_address> (*find)(const provider_choice& choice, const claude::claude_settings& settings);
  /// What stands in for the credential, in words, once `find` has found it.
  std::string (*credential)();
  /// What to do about a failure, told by doctor; what to do about a run that was stopped by it, or empty.
  std::string_view (*advice_before)(ec code);
  std::string_view (*advice_after)(ec code);
};

[[nodiscard]] std::span<const provider_entry> providers();
[[nodiscard]] std::vector<std::string> provider_names();

/// The first provider if there is none of this name: the command line lets no other name through.
[[nodiscard]] const provider_entry& provider_named(std::string_view name) noexcept;

/// `ec::usage` if options of another provider are given.
[[nodiscard]] expected<void> check_choice(const provider_choice& choice);

/// A provider with what it needs to live.
struct provider_connection {
  std::unique_ptr<simulator::simulator> server;  ///< Of the simulator only; outlives `provider`.
  std::shared_ptr<cohort::provider> provider;
  actors::resend_rule resend;

  provider_connection();
  provider_connection(provider_connection&&) noexcept;
  provider_connection& operator=(provider_connection&&) noexcept;
  ~provider_connection();
};

/// Errors: `ec::no_credentials` with both ways on, `ec::config_invalid`, `ec::io`.
[[nodiscard]] expected<provider_connection> connect_provider(const provider_choice& choice);

}  // namespace cohort::app
