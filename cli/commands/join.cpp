// `cohort join HOST:PORT`, `cohort join PROJECT`: this machine's workers for a coordinator that runs elsewhere.

#include "actors/nodes/node_process.hpp"

#include <cctype>
#include <memory>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "app/provider_registry.hpp"
#include "app/run_defaults.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"
#include "cli/screen/node_screen.hpp"
#include "cli/signals.hpp"
#include "settings/setting_table.hpp"
#include "state/run_lock.hpp"
#include "state/workspace.hpp"

namespace cohort::cli {

namespace {

struct join_options {
  std::string where;
  std::filesystem::path cluster;
  uint32_t concurrent = 3;
  std::string name;
  std::string certificate;
  uint64_t rejoin_seconds = 600;
  std::filesystem::path spool;
  bool quiet = false;
  app::provider_choice provider;
};

constexpr uint32_t most_names = 64;
constexpr size_t longest_name = 100;

/// A run on this machine: where it listens, and with which certificates.
expected<void> look_up_project(join_options& options) {
  auto workspace = state::open_workspace(options.where);
  if (!workspace) return tl::unexpected{workspace.error()};
  const auto holder = state::current_holder(workspace->lock_file());
  if (!holder) return fail(ec::usage, fmt::format("no run is at work on '{}'; start one with --listen", options.where));
  if (holder->listens.empty())
    return fail(
        ec::usage,
        fmt::format("the run on '{}' does not listen; start it with --listen HOST:PORT --cluster DIR", options.where));
  auto address = cluster::parse_address(holder->listens);
  if (!address) return tl::unexpected{address.error()};
  if (address->host == "0.0.0.0") address->host = "127.0.0.1";
  if (address->host == "::") address->host = "::1";
  if (options.cluster.empty()) options.cluster = holder->cluster;
  options.where = cluster::to_string(*address);
  return {};
}

std::string host_name() {
  char host[256] = {0};
  ::gethostname(host, sizeof host - 1);
  std::string name;
  for (const char* c = host; *c != '\0'; ++c)
    name += std::isalnum(static_cast<unsigned char>(*c)) != 0 || *c == '-' || *c == '_' ? *c : '-';
  return name.empty() ? "node" : name;
}

/// Several nodes on one machine get names and spools of their own.
expected<cluster::spool> open_spool(join_options& options) {
  const bool named = !options.name.empty();
  const auto base = named ? options.name : host_name();
  if (!options.spool.empty()) {
    options.name = base;
    return cluster::spool::open(options.spool);
  }
  for (uint32_t n = 1;; ++n) {
    options.name = n == 1 ? base : fmt::format("{}-{}", base, n);
    auto folder = cluster::default_spool_folder(options.name);
    if (!folder) return tl::unexpected{folder.error()};
    auto opened = cluster::spool::open(*folder);
    if (opened || named || n == most_names || opened.error().code != ec::state_locked) return opened;
  }
}

expected<void> check(join_options& options) {
  std::error_code ignored;
  if (std::filesystem::is_directory(options.where, ignored))
    if (auto found = look_up_project(options); !found) return found;
  if (options.cluster.empty()) return fail(ec::usage, "--cluster: name the folder with this node's certificates");
  if (options.name.find('/') != std::string::npos || options.name == "." || options.name == "..")
    return fail(ec::usage, "--name: a name without '/'");
  if (options.name.size() > longest_name || printable(options.name, 2 * longest_name) != options.name)
    return fail(ec::usage, fmt::format("--name: at most {} characters that can be shown", longest_name));
  return {};
}

void heed(int count, actors::node_controls& controls) {
  if (count == 1) {
    controls.drain();
  } else if (count == 2) {
    controls.stop_now();
  } else {
    ::_exit(to_int(exit_code::interrupted));
  }
}

std::string closing_message(const actors::node_outcome& outcome, const std::filesystem::path& folder) {
  std::string text = outcome.message.empty() ? "left" : outcome.message;
  if (outcome.kept > 0)
    text += fmt::format(". {} answers are kept in '{}'; they are handed over when this node joins again", outcome.kept,
                        printable(folder.string(), 1000));
  return text + ".";
}

int join(join_options options) {
  block_signals();
  if (auto fine = check(options); !fine) return complain(fine.error());
  const auto defaults = app::load_run_defaults();
  if (!defaults) return complain(defaults.error());
  actors::join_parts parts;
  auto address = cluster::parse_address(options.where);
  if (!address) return complain(address.error());
  parts.where = *address;
  auto own = cluster::cluster_credentials::load(options.cluster, cluster::cluster_side::node, options.name);
  if (!own) return complain(own.error());
  parts.own = std::make_shared<const cluster::cluster_credentials>(std::move(*own));
  auto connection = app::connect_provider(options.provider);
  if (!connection) return complain(connection.error());
  auto spool = open_spool(options);
  if (!spool) return complain(spool.error());
  parts.spool = std::make_shared<const cluster::spool>(std::move(*spool));
  if (auto opened = open_log(parts.spool->path(), "node.log", log_level::info); !opened)
    return complain(opened.error());
  auto contents = parts.spool->load();
  if (!contents) return complain(contents.error());
  for (const auto& file : contents->damaged)
    warn(fmt::format("a kept answer is damaged and was put aside: '{}'", file.string()));
  parts.kept = std::move(contents->answers);
  if (!parts.kept.empty())
    notice(fmt::format("{} answers of before are kept here; they are handed over to the run that they belong to",
                       parts.kept.size()));
  parts.name = options.name;
  parts.slots = options.concurrent;
  parts.rejoin_for = std::chrono::seconds{options.rejoin_seconds};
  parts.provider = connection->provider;
  parts.resend = connection->resend;
  parts.sink = make_node_screen(options.quiet);
  actors::node_controls controls;
  const signal_watch watch{[&](app::stop_request stop) { heed(stop.count, controls); }, defaults->grace};
  const auto folder = parts.spool->path();
  const auto outcome = actors::join_cluster(std::move(parts), controls);
  close_log();
  const auto text = closing_message(outcome, folder);
  if (outcome.code != ec::none) return complain({outcome.code, text});
  notice(text);
  return to_int(exit_code::done);
}

}  // namespace

void add_join(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<join_options>();
  auto* command = app.add_subcommand(
      "join", "Work for a coordinator on another machine, with this machine's own key; needs no copy of the project");
  command->add_option("where", options->where, "HOST:PORT of --listen, or the project of a run on this machine")
      ->required();
  command->add_option("--cluster", options->cluster, "Folder with this node's certificates");
  command->add_option("-c,--concurrent", options->concurrent, "Requests in flight at once on this machine [3]")
      ->check(CLI::Range(uint64_t{1}, settings::find_setting("concurrent")->most));
  command->add_option("--name", options->name, "What this node is called [the host's name]");
  command->add_option("--rejoin-for", options->rejoin_seconds,
                      "Seconds to look for a coordinator that cannot be reached [600]");
  command->add_option("--spool", options->spool,
                      "Folder for answers that are not acknowledged yet [~/.local/state/cohort/spool/NAME]");
  command->add_flag("-q,--quiet", options->quiet, "Only warnings and errors");
  add_provider(*command, options->provider, provider_options::all, "Provider");
  command->callback([options, &chosen] { chosen = [options] { return join(*options); }; });
}

}  // namespace cohort::cli
