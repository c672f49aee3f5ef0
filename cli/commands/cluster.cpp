// `cohort cluster init DIR`: the certificates that let machines work together.

#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cluster/certificate_authority.hpp"

namespace cohort::cli {

namespace {

struct cluster_options {
  std::filesystem::path folder;
  std::vector<std::string> add;
  std::vector<std::string> revoke;
};

std::string what_to_copy(const cluster::cluster_members& members, const std::filesystem::path& folder) {
  std::string text =
      fmt::format("  here        {}: the authority and the coordinator's certificate; keep ca.key here\n",
                  printable(folder.string(), 1000));
  for (const auto& name : members.nodes) {
    const auto node = printable(name);
    text += fmt::format("  {:<11} copy ca.crt, {}.crt and {}.key into a folder of that machine\n", node, node, node);
  }
  return text + "  start with  cohort generate-logical-batch PROJECT --listen 0.0.0.0:4242 --cluster " +
         printable(folder.string(), 1000) + "\n  join with   cohort join HOST:4242 --cluster FOLDER --concurrent N\n";
}

int init_cluster(const cluster_options& options) {
  if (!options.revoke.empty()) {
    auto members = cluster::revoke_nodes(options.folder, options.revoke);
    if (!members) return complain(members.error());
    print(
        fmt::format("A new authority was made: no certificate of before fits any more. Copy these anew and start the "
                    "coordinator again.\n{}",
                    what_to_copy(*members, options.folder)));
    return to_int(exit_code::done);
  }
  const bool there = cluster::members_of(options.folder).has_value();
  auto members =
      there && !options.add.empty()
          ? cluster::add_nodes(options.folder, options.add)
          : cluster::found_cluster(
                options.folder, options.add.empty() ? std::vector<std::string>{cluster::first_node_name} : options.add);
  if (!members) return complain(members.error());
  print(fmt::format("{}\n{}", there ? "Added." : "A cluster was made.", what_to_copy(*members, options.folder)));
  return to_int(exit_code::done);
}

}  // namespace

void add_cluster(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<cluster_options>();
  auto* command = app.add_subcommand("cluster", "Certificates for machines that work together");
  command->require_subcommand(1);
  auto* init =
      command->add_subcommand("init", "Make a private authority with certificates for a coordinator and nodes");
  init->add_option("folder", options->folder, "Where the certificates are")->required();
  auto* add = init->add_option("--add", options->add, "A certificate for a node of this name (repeatable) [node]")
                  ->take_all()
                  ->expected(1);
  auto* revoke = init->add_option("--revoke", options->revoke,
                                  "Take a node's certificate away: a new authority, new certificates for all others "
                                  "(repeatable)")
                     ->take_all()
                     ->expected(1);
  add->excludes(revoke);
  init->callback([options, &chosen] { chosen = [options] { return init_cluster(*options); }; });
}

}  // namespace cohort::cli
