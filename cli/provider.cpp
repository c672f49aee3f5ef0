// Connecting: credentials from the environment, or a simulator with a key of its own.

#include "cli/provider.hpp"

#include <random>

#include "base/digest.hpp"
#include "claude/api/claude_provider.hpp"
#include "claude/api/credentials.hpp"
#include "claude/api/retry_policy.hpp"
#include "claude/api/settings.hpp"
#include "cli/console.hpp"
#include "simulator/behaviour/scenario.hpp"
#include "simulator/server/simulator.hpp"

namespace cohort::cli {

namespace {

/// A key of this process alone: others on this machine can reach the port as well.
expected<std::unique_ptr<simulator::simulator>> start_simulator(const generate_options& options,
                                                                const std::string& key) {
  auto rules = simulator::load_scenario(options.scenario.value_or("calm"));
  if (!rules) return tl::unexpected{rules.error()};
  for (const auto& assignment : options.scenario_set)
    if (auto applied = simulator::override_scenario(*rules, assignment); !applied)
      return tl::unexpected{applied.error()};
  simulator::simulator_options server;
  server.rules = std::move(*rules);
  server.credential = key;
  if (options.bill) server.bill = *options.bill;
  return simulator::simulator::start(server);
}

actors::resend_rule make_resend_rule(const claude::retry_settings& settings) {
  return [policy = claude::retry_policy{settings}](uint32_t sends, milliseconds elapsed,
                                                   const call_failure& failure) -> std::optional<milliseconds> {
    static thread_local std::mt19937_64 random{std::random_device{}()};
    const auto decision =
        policy.after(sends, elapsed, failure, std::uniform_real_distribution<double>{0.0, 1.0}(random));
    if (!decision.again) return std::nullopt;
    return decision.delay;
  };
}

}  // namespace

server_address::server_address() = default;
server_address::server_address(server_address&&) noexcept = default;
server_address& server_address::operator=(server_address&&) noexcept = default;
server_address::~server_address() = default;

expected<server_address> find_server(const generate_options& options, const claude::claude_settings& settings) {
  server_address found;
  auto where = expected<claude::endpoint>{fail(ec::no_credentials, {})};
  if (options.uses_simulator()) {
    const auto key = "simulator-key-" + random_hex(32);
    auto server = start_simulator(options, key);
    if (!server) return tl::unexpected{server.error()};
    found.server = std::move(*server);
    where = claude::endpoint_at(found.server->base_url(), key, settings);
  } else {
    where = claude::endpoint_from(claude::process_environment(), settings);
  }
  if (!where) return tl::unexpected{where.error()};
  found.where = std::move(*where);
  return found;
}

provider_connection::provider_connection() = default;
provider_connection::provider_connection(provider_connection&&) noexcept = default;
provider_connection& provider_connection::operator=(provider_connection&&) noexcept = default;
provider_connection::~provider_connection() { provider.reset(); }

expected<provider_connection> connect_provider(const generate_options& options) {
  auto settings = claude::load_claude_settings();
  if (!settings) return tl::unexpected{settings.error()};
  auto address = find_server(options, *settings);
  if (!address) return tl::unexpected{address.error()};
  provider_connection connection;
  connection.server = std::move(address->server);
  auto provider = claude::claude_provider::start(address->where, *settings);
  if (!provider) return tl::unexpected{provider.error()};
  connection.provider = std::move(*provider);
  connection.resend = make_resend_rule(settings->retry);
  return connection;
}

}  // namespace cohort::cli
