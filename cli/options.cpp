// Options from the table of settings, the registry of providers, and those of a single start.

#include "cli/options.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "settings/setting_table.hpp"

namespace cohort::cli {

namespace {

using settings::setting;
using settings::setting_kind;

/// Only files that match, or do not: `--include` and `--exclude`.
void add_globs(CLI::App& command, app::run_request& request, const char* group) {
  command.add_option("--include", request.include, "Only files that match this glob (repeatable)")
      ->group(group)
      ->take_all()
      ->expected(1);
  command.add_option("--exclude", request.exclude, "No files that match this glob (repeatable)")
      ->group(group)
      ->take_all()
      ->expected(1);
  command
      .add_option_function<std::vector<std::string>>(
          "--regenerate",
          [&request](std::vector<std::string> globs) {
            std::erase_if(globs, [](const std::string& glob) { return glob.empty() || glob == "{}"; });
            request.regenerate = std::move(globs);
          },
          "Make delivered tests anew, of the sources that match or of all: --regenerate='src/*.py'")
      ->group(group)
      ->take_all()
      ->expected(0, 1);
}

void add_nodes(CLI::App& command, app::listen_request& wanted, const char* group) {
  auto* listen = command
                     .add_option("--listen", wanted.address,
                                 "HOST:PORT where nodes may join; --concurrent 0 then leaves all work to them")
                     ->group(group);
  auto* cluster =
      command.add_option("--cluster", wanted.cluster, "Folder that `cohort cluster init` made")->group(group);
  command
      .add_option("--lease-timeout", wanted.lease_seconds,
                  "Seconds of silence after which a node's tasks go to others [15]")
      ->group(group)
      ->needs(listen);
  listen->needs(cluster);
  cluster->needs(listen);
}

}  // namespace

CLI::Option* add_setting(CLI::App& command, app::run_request& request, std::string_view name, const char* group) {
  const auto& which = *settings::find_setting(name);
  const std::string flag{which.option};
  const auto help =
      which.standard.empty() ? std::string{which.help} : fmt::format("{} [{}]", which.help, which.standard);
  auto& given = request.given;
  const std::string key{name};
  if (which.kind == setting_kind::number || which.kind == setting_kind::seconds)
    return command
        .add_option_function<uint64_t>(
            flag, [&given, key](const uint64_t& value) { given[key] = std::to_string(value); }, help)
        ->group(group)
        ->check(CLI::Range(which.least_option, which.most));
  auto* option = command
                     .add_option_function<std::string>(
                         flag, [&given, key](const std::string& value) { given[key] = value; }, help)
                     ->group(group);
  if (which.kind != setting_kind::choice) return option;
  std::vector<std::string> choices{which.choices.begin(), which.choices.end()};
  if (which.can_be_none) choices.emplace_back("none");
  return option->check(CLI::IsMember(choices));
}

void add_provider(CLI::App& command, app::provider_choice& choice, provider_options which, const char* group) {
  const auto names = app::provider_names();
  command.add_option("--provider", choice.name, fmt::format("{} [{}]", fmt::join(names, " or "), choice.name))
      ->group(group)
      ->check(CLI::IsMember(names));
  if (which == provider_options::name_only) return;
  for (const auto& entry : app::providers())
    for (const auto& option : entry.options) {
      const std::string flag{option.flag};
      auto* added =
          command
              .add_option_function<std::vector<std::string>>(
                  flag, [&choice, flag](const std::vector<std::string>& values) { choice.options[flag] = values; },
                  std::string{option.help})
              ->group(group)
              ->expected(1);
      if (option.repeatable) added->take_all();
    }
}

void add_generate_options(CLI::App& command, generate_options& options) {
  auto& request = options.request;
  const char* what = "What to work on";
  command.add_option("project", request.project, "The project's directory")->required();
  add_globs(command, request, what);
  add_setting(command, request, "min_complexity", what);
  command.add_option("-g,--gap-report", request.gap_report, "Take the gaps from a report of analyze-gaps")->group(what);
  add_setting(command, request, "output_directory", what);

  const char* how = "How";
  for (const auto* name : {"model", "fallback_model", "effort", "concurrent", "timeout_seconds"})
    add_setting(command, request, name, how);
  command
      .add_option("--grace", request.grace_seconds,
                  "Seconds that what is in flight gets after Ctrl-C or SIGTERM; 0 stops at once [900]")
      ->group(how)
      ->check(CLI::Range(uint64_t{0}, settings::longest_timeout_seconds));
  command.add_option("--template", request.preset, "Settings from config/templates/NAME.json")->group(how);
  add_provider(command, request.provider, provider_options::all, how);
  add_nodes(command, request.listen, "Other machines");

  for (const auto* name : {"cost_limit", "on_limit", "budget"}) add_setting(command, request, name, "Money");

  const char* output = "Output";
  command.add_option("-o,--output", request.report_dir, "Write a JSON report for each batch into this directory")
      ->group(output);
  command.add_flag("--json", options.json, "One event a line on stdout")->group(output);
  command.add_flag("-q,--quiet", options.quiet, "Only warnings, errors and the summary")->group(output);
  command.add_flag("-v,--verbose", options.verbose, "A line for each task")->group(output);
}

}  // namespace cohort::cli
