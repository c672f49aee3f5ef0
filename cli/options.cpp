// The options, their bounds, and how they are laid over stored settings.

#include "cli/options.hpp"

#include <charconv>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "cli/run_defaults.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::cli {

namespace {

expected<uint32_t> number_or_auto(const std::string& option, const std::string& text, uint32_t most) {
  if (text == "auto") return 0u;
  uint32_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size() || value < 1 || value > most)
    return fail(ec::usage, fmt::format("{}: '{}' is neither 'auto' nor a number from 1 to {}", option, text, most));
  return value;
}

expected<nano_dollars> limit(const std::string& option, const std::string& text) {
  auto amount = parse_dollars(text);
  if (!amount) return fail(ec::usage, fmt::format("{}: {}", option, amount.error().message));
  if (amount->count == 0) return fail(ec::usage, fmt::format("{}: a limit of nothing lets no task run", option));
  return amount;
}

expected<void> lay_limits(const generate_options& options, run_settings& settings) {
  if (options.cost_limit == "none") {
    settings.cost_limit.reset();
  } else if (options.cost_limit) {
    auto amount = limit("--cost-limit", *options.cost_limit);
    if (!amount) return tl::unexpected{amount.error()};
    settings.cost_limit = *amount;
  }
  if (options.budget == "none") {
    settings.budget.reset();
  } else if (options.budget) {
    auto amount = limit("--budget", *options.budget);
    if (!amount) return tl::unexpected{amount.error()};
    settings.budget = *amount;
  }
  if (options.on_limit) {
    for (auto policy : {limit_policy::stop, limit_policy::next, limit_policy::warn})
      if (*options.on_limit == name(policy)) settings.on_limit = policy;
  }
  return {};
}

expected<void> lay_numbers(const generate_options& options, run_settings& settings) {
  if (options.batch_size) {
    auto size = number_or_auto("--batch-size", *options.batch_size, planning::most_batch_size);
    if (!size) return tl::unexpected{size.error()};
    settings.batch_size = *size;
  }
  if (options.parallel_batches) {
    auto parallel = number_or_auto("--parallel-batches", *options.parallel_batches, most_parallel_batches);
    if (!parallel) return tl::unexpected{parallel.error()};
    settings.parallel_batches = *parallel;
  }
  if (options.concurrent) {
    if (*options.concurrent == 0 && !options.listen)
      return fail(ec::usage,
                  "--concurrent 0: without workers of its own this run could do nothing; give at least 1, or let nodes "
                  "join with --listen");
    settings.concurrent = *options.concurrent;
  }
  if (options.timeout_seconds) settings.timeout = std::chrono::seconds{*options.timeout_seconds};
  if (options.min_complexity) settings.min_complexity = *options.min_complexity;
  return {};
}

}  // namespace

void add_generate_options(CLI::App& command, generate_options& options) {
  const char* what = "What to work on";
  command.add_option("project", options.project, "The project's directory")->required();
  command.add_option("--include", options.include, "Only files that match this glob (repeatable)")
      ->group(what)
      ->take_all()
      ->expected(1);
  command.add_option("--exclude", options.exclude, "No files that match this glob (repeatable)")
      ->group(what)
      ->take_all()
      ->expected(1);
  command.add_option("--min-complexity", options.min_complexity, "Least complexity of a file, 1 to 10 [5]")
      ->group(what)
      ->check(CLI::Range(1u, most_complexity));
  command.add_option("-g,--gap-report", options.gap_report, "Take the gaps from a report of analyze-gaps")->group(what);
  command
      .add_option("--tests-dir", options.tests_dir,
                  "Where tests are written, relative to the project [.claude-testing/tests]")
      ->group(what);

  const char* how = "How";
  command.add_option("-m,--model", options.model, "opus, sonnet, haiku, fable or a full model id [sonnet]")->group(how);
  command
      .add_option("--fallback-model", options.fallback_model,
                  "The model that stands in while the first is overloaded; auto: as config/models.json says; none")
      ->group(how);
  command
      .add_option("--effort", options.effort, "How hard the model works: low, medium, high; none: as it does by itself")
      ->group(how)
      ->check(CLI::IsMember({"low", "medium", "high", "none"}));
  command.add_option("-c,--concurrent", options.concurrent, "Requests in flight at once [3]")
      ->group(how)
      ->check(CLI::Range(0u, most_concurrent));
  command.add_option("--timeout", options.timeout_seconds, "Seconds for one task, all its attempts together [900]")
      ->group(how)
      ->check(CLI::Range(uint64_t{1}, longest_timeout_seconds));
  command
      .add_option("--grace", options.grace_seconds,
                  "Seconds that what is in flight gets after Ctrl-C or SIGTERM; 0 stops at once [900]")
      ->group(how)
      ->check(CLI::Range(uint64_t{0}, longest_timeout_seconds));
  command.add_option("--template", options.preset, "Settings from config/templates/NAME.json")->group(how);
  command.add_option("--provider", options.provider, "api or simulator [api]")
      ->group(how)
      ->check(CLI::IsMember({"api", "simulator"}));
  command.add_option("--scenario", options.scenario, "Built-in simulator: a scenario's name or file [calm]")
      ->group(how);
  command
      .add_option("--set", options.scenario_set,
                  "Built-in simulator: one setting, such as faults.overloaded=0.1 (repeatable)")
      ->group(how)
      ->take_all()
      ->expected(1);
  command.add_option("--bill", options.bill, "Built-in simulator: append a line for each billed request to this file")
      ->group(how);

  const char* nodes = "Other machines";
  auto* listen = command
                     .add_option("--listen", options.listen,
                                 "HOST:PORT where nodes may join; --concurrent 0 then leaves all work to them")
                     ->group(nodes);
  auto* cluster =
      command.add_option("--cluster", options.cluster, "Folder that `cohort cluster init` made")->group(nodes);
  command
      .add_option("--lease-timeout", options.lease_seconds,
                  "Seconds of silence after which a node's tasks go to others [15]")
      ->group(nodes)
      ->needs(listen);
  listen->needs(cluster);
  cluster->needs(listen);

  const char* money = "Money";
  command.add_option("--cost-limit", options.cost_limit, "Most that each batch may cost, in dollars; none lifts it")
      ->group(money);
  command
      .add_option("--on-limit", options.on_limit,
                  "At a batch's limit: stop, next (go on with the next batch) or warn [stop]")
      ->group(money)
      ->check(CLI::IsMember({"stop", "next", "warn"}));
  command.add_option("--budget", options.budget, "Most that the whole run may cost, in dollars; none lifts it")
      ->group(money);

  const char* output = "Output";
  command.add_option("-o,--output", options.report_dir, "Write a JSON report for each batch into this directory")
      ->group(output);
  command.add_flag("--json", options.json, "One event a line on stdout")->group(output);
  command.add_flag("-q,--quiet", options.quiet, "Only warnings, errors and the summary")->group(output);
  command.add_flag("-v,--verbose", options.verbose, "A line for each task")->group(output);
}

expected<run_settings> resolve_settings(const generate_options& options, const run_settings& base) {
  auto settings = base;
  const bool simulator_only = options.scenario || options.bill || !options.scenario_set.empty();
  if (simulator_only && !options.uses_simulator())
    return fail(ec::usage,
                "--scenario, --set and --bill belong to --provider simulator; a server of its own takes them as: "
                "cohort simulator");
  if (!options.preset.empty()) {
    auto laid = lay_template(options.preset, settings);
    if (!laid) return tl::unexpected{laid.error()};
  }
  if (options.model) settings.model = *options.model;
  if (options.fallback_model) settings.fallback = *options.fallback_model == "none" ? "" : *options.fallback_model;
  if (options.fallback_model && options.fallback_model->empty())
    return fail(ec::usage, "--fallback-model: name a model, auto or none");
  if (options.effort) settings.effort = *options.effort == "none" ? "" : *options.effort;
  if (options.tests_dir) settings.output_directory = *options.tests_dir;
  if (auto laid = lay_numbers(options, settings); !laid) return tl::unexpected{laid.error()};
  if (auto laid = lay_limits(options, settings); !laid) return tl::unexpected{laid.error()};
  if (settings.concurrent == 0 && !options.listen)
    return fail(ec::usage,
                "this run was started with --concurrent 0, so that only nodes work on it; give --listen as before, or "
                "--concurrent with at least 1");
  return settings;
}

bool asks_for_another_plan(const run_settings& wanted, const run_settings& stored) {
  return wanted.batch_size != stored.batch_size || wanted.min_complexity != stored.min_complexity ||
         wanted.output_directory != stored.output_directory || wanted.effort != stored.effort;
}

}  // namespace cohort::cli
