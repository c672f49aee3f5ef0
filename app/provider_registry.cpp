// The entries "api" and "simulator", and connecting to what was chosen.

#include "app/provider_registry.hpp"

#include <algorithm>
#include <random>

#include <fmt/format.h>

#include "base/digest.hpp"
#include "claude/api/claude_provider.hpp"
#include "claude/api/credentials.hpp"
#include "claude/api/retry_policy.hpp"
#include "claude/api/settings.hpp"
#include "simulator/behaviour/scenario.hpp"
#include "simulator/server/simulator.hpp"

namespace cohort::app {

namespace {

expected<server_address> find_api(const provider_choice&, const claude::claude_settings& settings) {
  auto where = claude::endpoint_from(claude::process_environment(), settings);
  if (!where) return tl::unexpected{where.error()};
  server_address found;
  found.where = std::move(*where);
  return found;
}

std::string credential_of_api() {
  const auto set = claude::process_environment()("ANTHROPIC_API_KEY").value_or("");
  return set.empty() ? "ANTHROPIC_AUTH_TOKEN is set" : "ANTHROPIC_API_KEY is set";
}

/// The simulator speaks the same protocol and can be told to fail alike, so that this serves both.
std::string_view api_advice_before(ec code) {
  switch (code) {
    case ec::authentication: return "check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN)";
    case ec::forbidden: return "use a key that may ask for this model";
    case ec::billing:
    case ec::spend_limit: return "look at the account's billing and limits";
    case ec::connect_failed:
    case ec::connection_lost:
    case ec::timeout: return "check the network and ANTHROPIC_BASE_URL";
    case ec::rate_limited:
    case ec::overloaded:
    case ec::server_error: return "try again later; a run would wait until the provider recovers";
    default: return "check ANTHROPIC_BASE_URL; it has to speak the Messages API";
  }
}

std::string_view api_advice_after(ec code) {
  if (code == ec::authentication || code == ec::forbidden)
    return "Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), then run the same command: it continues.";
  if (code == ec::billing || code == ec::spend_limit)
    return "Look at the account's billing and limits, then run the same command: it continues.";
  return {};
}

/// The last value of an option, as repeating it on the command line means.
std::string last_of(const provider_choice& choice, std::string_view flag, const std::string& fallback) {
  const auto given = choice.options.find(flag);
  return given == choice.options.end() || given->second.empty() ? fallback : given->second.back();
}

/// With a key of this process alone: others on this machine can reach the port as well.
expected<server_address> find_simulator(const provider_choice& choice, const claude::claude_settings& settings) {
  auto rules = simulator::load_scenario(last_of(choice, "--scenario", "calm"));
  if (!rules) return tl::unexpected{rules.error()};
  if (const auto set = choice.options.find("--set"); set != choice.options.end())
    for (const auto& assignment : set->second)
      if (auto applied = simulator::override_scenario(*rules, assignment); !applied)
        return tl::unexpected{applied.error()};
  simulator::simulator_options options;
  options.rules = std::move(*rules);
  options.credential = "simulator-key-" + random_hex(32);
  options.bill = last_of(choice, "--bill", {});
  auto server = simulator::simulator::start(options);
  if (!server) return tl::unexpected{server.error()};
  auto where = claude::endpoint_at((*server)->base_url(), options.credential, settings);
  if (!where) return tl::unexpected{where.error()};
  server_address found;
  found.server = std::move(*server);
  found.where = std::move(*where);
  return found;
}

std::string credential_of_simulator() { return "the simulator needs none"; }

std::vector<provider_entry> made_registry() {
  return {
      {"api", {}, {}, find_api, credential_of_api, api_advice_before, api_advice_after},
      {"simulator",
       {{"--scenario", "Built-in simulator: a scenario's name or file [calm]"},
        {"--set", "Built-in simulator: one setting, such as faults.overloaded=0.1 (repeatable)", true},
        {"--bill", "Built-in simulator: append a line for each billed request to this file"}},
       "a server of its own takes them as: cohort simulator",
       find_simulator,
       credential_of_simulator,
       api_advice_before,
       api_advice_after},
  };
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

/// "--scenario, --set and --bill"
std::string flags_of(const provider_entry& entry) {
  std::string text;
  for (size_t i = 0; i < entry.options.size(); ++i) {
    if (i > 0) text += i + 1 == entry.options.size() ? " and " : ", ";
    text += entry.options[i].flag;
  }
  return text;
}

}  // namespace

server_address::server_address() = default;
server_address::server_address(server_address&&) noexcept = default;
server_address& server_address::operator=(server_address&&) noexcept = default;
server_address::~server_address() = default;

std::span<const provider_entry> providers() {
  static const auto registry = made_registry();
  return registry;
}

std::vector<std::string> provider_names() {
  std::vector<std::string> names;
  for (const auto& entry : providers()) names.emplace_back(entry.name);
  return names;
}

const provider_entry& provider_named(std::string_view name) noexcept {
  const auto all = providers();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& entry) { return entry.name == name; });
  return found == all.end() ? all.front() : *found;
}

expected<void> check_choice(const provider_choice& choice) {
  for (const auto& entry : providers()) {
    if (entry.name == choice.name) continue;
    for (const auto& option : entry.options)
      if (choice.options.contains(option.flag))
        return fail(ec::usage, fmt::format("{} belong to --provider {}{}{}", flags_of(entry), entry.name,
                                           entry.options_elsewhere.empty() ? "" : "; ", entry.options_elsewhere));
  }
  return {};
}

provider_connection::provider_connection() = default;
provider_connection::provider_connection(provider_connection&&) noexcept = default;
provider_connection& provider_connection::operator=(provider_connection&&) noexcept = default;
provider_connection::~provider_connection() { provider.reset(); }

expected<provider_connection> connect_provider(const provider_choice& choice) {
  auto settings = claude::load_claude_settings();
  if (!settings) return tl::unexpected{settings.error()};
  auto address = provider_named(choice.name).find(choice, *settings);
  if (!address) return tl::unexpected{address.error()};
  provider_connection connection;
  connection.server = std::move(address->server);
  auto provider = claude::claude_provider::start(address->where, *settings);
  if (!provider) return tl::unexpected{provider.error()};
  connection.provider = std::move(*provider);
  connection.resend = make_resend_rule(settings->retry);
  return connection;
}

}  // namespace cohort::app
