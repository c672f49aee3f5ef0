// The way to a model that the user chose: the API, or the simulator in this process.
#pragma once

#include <memory>

#include "actors/slots/worker.hpp"
#include "claude/api/credentials.hpp"
#include "cli/options.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::simulator {
class simulator;
}

namespace cohort::cli {

/// Where requests go.
struct server_address {
  std::unique_ptr<simulator::simulator> server;  ///< Only with `--provider simulator`; has to outlive every request.
  claude::endpoint where;

  server_address();
  server_address(server_address&&) noexcept;
  server_address& operator=(server_address&&) noexcept;
  ~server_address();
};

/// Errors: `ec::no_credentials` with both ways on, `ec::config_invalid`.
[[nodiscard]] expected<server_address> find_server(const generate_options& options,
                                                   const claude::claude_settings& settings);

/// A provider with what it needs to live.
struct provider_connection {
  std::unique_ptr<simulator::simulator> server;  ///< Only with `--provider simulator`; outlives `way`.
  std::shared_ptr<cohort::provider> provider;
  actors::resend_rule resend;

  provider_connection();
  provider_connection(provider_connection&&) noexcept;
  provider_connection& operator=(provider_connection&&) noexcept;
  ~provider_connection();
};

/// Errors: `ec::no_credentials` with both ways on, `ec::config_invalid`, `ec::io`.
[[nodiscard]] expected<provider_connection> connect_provider(const generate_options& options);

}  // namespace cohort::cli
