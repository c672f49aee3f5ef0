// Looking at the state, and putting it aside.

#include "cli/commands/stats_and_clean.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "app/reports/run_report.hpp"
#include "app/run_liveness.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/screen/nodes_file.hpp"
#include "state/batch_state_file.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

namespace {

error nothing_run_yet(const app::project_context& context) {
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view) return {ec::state_missing, "nothing was run here yet; start with: cohort generate-logical-batch PROJECT"};
  return {ec::state_missing, fmt::format("there is no ledger here, only a batch-state.json that tells of {} of {} "
                                         "tasks done and {} spent; a run takes "
                                         "over its settings: cohort generate-logical-batch PROJECT",
                                         view->completed_tasks, view->total_tasks, to_string(view->spent))};
}

/// Neither the archives nor the generated tests are state.
bool has_state(const state::workspace& workspace) {
  const std::array<std::filesystem::path, 3> files{workspace.ledger_file(), workspace.ledger_file().native() + "-wal",
                                                   workspace.batch_state_path()};
  return std::any_of(files.begin(), files.end(),
                     [](const auto& file) {
                       std::error_code ignored;
                       return std::filesystem::exists(std::filesystem::symlink_status(file, ignored));
                     }) ||
         !state::backups_of(workspace).empty();
}

}  // namespace

int show_stats(const app::project_context& context, const generate_options& options, app::notices& out) {
  auto holder = state::current_holder(context.workspace.lock_file());
  auto ledger = app::open_and_tell(context.workspace, state::ledger::access::read_only, out);
  if (!ledger && ledger.error().code == ec::state_missing) return complain(nothing_run_yet(context));
  if (!ledger) return complain(ledger.error());
  auto run = ledger->newest_run();
  if (!run) return complain(run.error());
  if (!*run) return complain(nothing_run_yet(context));
  auto open = app::needing_attention(*ledger, (*run)->id);
  if (!open) return complain(open.error());
  if (!holder) holder = state::current_holder(context.workspace.lock_file());
  open->killed = app::was_killed(**run, holder);
  const auto nodes = holder ? read_nodes_file(context.workspace.nodes_file()) : std::vector<actors::node_view>{};
  if (options.json) {
    auto event = app::summary_event(**run, *open);
    if (holder) event["activeRun"] = app::holder_json(*holder);
    if (!nodes.empty()) event["nodes"] = nlohmann::ordered_json::parse(nodes_json(nodes));
    print(app::on_one_line(event));
    return to_int(exit_code::done);
  }
  print(app::run_table(**run, *open, options.style()));
  if (holder)
    print(fmt::format("  running    process {} on {} since {}{}\n", holder->process, printable(holder->host),
                      to_iso8601(holder->since),
                      holder->listens.empty() ? "" : ", nodes may join at " + printable(holder->listens)) +
          nodes_table(nodes, wall_now()));
  return to_int(exit_code::done);
}

int clean(const app::project_context& context, const generate_options& options) {
  const auto nothing = [] {
    announce("there is no state to reset");
    return to_int(exit_code::done);
  };
  if (!has_state(context.workspace)) return nothing();
  auto lock = state::run_lock::acquire(context.workspace.lock_file(), app::this_process(context));
  if (!lock) return complain(lock.error());
  if (!has_state(context.workspace)) return nothing();  // Another one was faster.
  auto archive = state::archive_state(context.workspace);
  if (!archive) return complain(archive.error());
  if (auto moved = state::archive_backups(context.workspace, *archive); !moved) return complain(moved.error());
  if (options.json) {
    auto event = app::new_event("cleaned");
    event["archive"] = archive->string();
    print(app::on_one_line(event));
  } else {
    print(fmt::format("The state is reset. What it was lies in {}; generated tests stay where they are.\n",
                      printable(archive->string(), 1000)));
  }
  return to_int(exit_code::done);
}

}  // namespace cohort::cli
