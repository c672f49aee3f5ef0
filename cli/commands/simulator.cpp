// `cohort simulator`: the built-in provider as a server of its own.

#include "simulator/server/simulator.hpp"

#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/signals.hpp"
#include "simulator/behaviour/scenario.hpp"

namespace cohort::cli {

namespace {

struct serve_options {
  uint16_t port = 0;
  std::string scenario = "calm";
  std::vector<std::string> settings;
  std::filesystem::path bill;
};

int serve(const serve_options& options) {
  block_signals();
  auto rules = simulator::load_scenario(options.scenario);
  if (!rules) return complain(rules.error());
  for (const auto& assignment : options.settings)
    if (auto applied = simulator::override_scenario(*rules, assignment); !applied) return complain(applied.error());
  simulator::simulator_options wanted;
  wanted.port = options.port;
  wanted.rules = std::move(*rules);
  wanted.bill = options.bill;
  auto server = simulator::simulator::start(wanted);
  if (!server) return complain(server.error());
  print(fmt::format("{}\n", (*server)->base_url()));
  notice(fmt::format("serving; use it with: ANTHROPIC_BASE_URL={} ANTHROPIC_API_KEY=any cohort ...",
                     (*server)->base_url()));
  wait_for_signal();
  (*server)->stop();
  const auto seen = (*server)->counters();
  notice(fmt::format("{} requests, {} billed, {} in all", seen.requests, seen.billed, to_string(seen.billed_amount)));
  return to_int(exit_code::done);
}

}  // namespace

void add_simulator(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<serve_options>();
  auto* command = app.add_subcommand("simulator", "Serve a simulated Claude API on this machine");
  command->add_option("--port", options->port, "Port on loopback; 0 picks one and prints its address [0]")
      ->check(CLI::Range(0, 65'535));
  command->add_option("--scenario", options->scenario, "A scenario's name in config/simulator/, or a file [calm]");
  command
      ->add_option("--set", options->settings,
                   "One setting of the scenario, such as faults.overloaded=0.1 (repeatable)")
      ->take_all()
      ->expected(1);
  command->add_option("--bill", options->bill, "Append a line for each billed request to this file");
  command->callback([options, &chosen] { chosen = [options] { return serve(*options); }; });
}

}  // namespace cohort::cli
