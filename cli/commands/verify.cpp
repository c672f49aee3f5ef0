// `cohort verify PROJECT`: does what lies on disk agree? Exit code 1 and a list if not.

#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/loaded_languages.hpp"
#include "app/project_context.hpp"
#include "app/reports/json_output.hpp"
#include "app/reports/run_report.hpp"
#include "app/restoration.hpp"
#include "app/run_liveness.hpp"
#include "app/verification.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/screen/notices_on_console.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

namespace {

using nlohmann::ordered_json;

struct verify_options {
  std::filesystem::path project;
  bool restore = false;
  bool archives = false;
  bool json = false;
};

std::string text_of(const state::workspace& workspace, const app::verification& all) {
  std::string text;
  if (all.active)
    text += fmt::format(
        "process {} on {} runs here since {}: this is how things stand at the moment, batch-state.json is not "
        "compared\n",
        all.active->process, printable(all.active->host), to_iso8601(all.active->since));
  for (const auto& path : all.restored) text += fmt::format("  restored   {}\n", printable(path, 1000));
  text += fmt::format("  ledger     {} runs, {} tasks, {} attempts, {} answers\n", all.audit.runs, all.audit.tasks,
                      all.audit.attempts, all.audit.answers);
  text += fmt::format("  money      {} confirmed, {} unconfirmed, computed from each attempt's usage\n",
                      exact_dollars(all.audit.spent.confirmed), exact_dollars(all.audit.spent.unconfirmed));
  text += fmt::format("  files      {} of {} as delivered\n", all.intact_files, all.audit.files.size());
  if (all.archives > 0) text += fmt::format("  archives   {} ledgers looked at\n", all.archives);
  if (all.findings.empty()) return text + "Everything agrees.\n";
  bool restorable = false;
  text += fmt::format("{} differences:\n", all.findings.size());
  for (const auto& found : all.findings) {
    text += fmt::format("  {:<10} {}: {}\n", state::name(found.kind), printable(found.where, 1000),
                        printable(found.what, 1000));
    restorable =
        restorable || found.kind == state::disagreement::missing || found.kind == state::disagreement::incomplete;
  }
  if (restorable)
    text += fmt::format("What is missing can be written again without asking: cohort verify --restore {}\n",
                        printable(workspace.project.string(), 1000));
  return text;
}

std::string as_json(const state::workspace& workspace, const app::verification& all) {
  ordered_json value{{"ok", all.findings.empty()}, {"projectPath", workspace.project.string()}};
  if (all.active) value["activeRun"] = app::holder_json(*all.active);
  if (all.run) {
    value["run"] = {{"batchId", all.run->batch_id},
                    {"status", name(all.killed ? run_status::interrupted : all.run->status)}};
    if (all.killed) value["run"]["killed"] = true;
  }
  value["ledger"] = {{"runs", all.audit.runs},
                     {"tasks", all.audit.tasks},
                     {"attempts", all.audit.attempts},
                     {"answers", all.audit.answers}};
  const auto money = [](const spending& spent) {
    return ordered_json{{"confirmed", as_dollars(spent.confirmed)}, {"unconfirmed", as_dollars(spent.unconfirmed)}};
  };
  value["cost"] = {{"newestRun", money(all.audit.newest_run)}, {"allRuns", money(all.audit.spent)}};
  value["files"] = {{"recorded", all.audit.files.size()}, {"intact", all.intact_files}};
  value["viewCompared"] = all.view_compared;
  value["archives"] = all.archives;
  value["restored"] = all.restored;
  value["differences"] = ordered_json::array();
  for (const auto& found : all.findings)
    value["differences"].push_back({{"kind", state::name(found.kind)}, {"where", found.where}, {"what", found.what}});
  return app::indented(value);
}

/// Words on stderr in each case; with `--json` the same as an object, so that a script has one thing to read.
int refuse(const verify_options& options, const error& problem) {
  if (options.json)
    print(app::indented({{"ok", false}, {"error", {{"code", name(problem.code)}, {"message", problem.message}}}}));
  return complain(problem);
}

struct restored_files {
  std::vector<std::string> paths;
  std::vector<state::audit_finding> troubles;
};

expected<restored_files> restore(const state::workspace& workspace) {
  const auto lock = state::run_lock::acquire(
      workspace.lock_file(), app::holder_of("verify --restore " + printable(workspace.project.string(), 500)));
  if (!lock) return tl::unexpected{lock.error()};
  auto handler = app::guarded_handler_for(workspace);
  if (!handler) return tl::unexpected{handler.error()};
  const auto own = state::restore_own_ledger(workspace);
  if (!own) return tl::unexpected{own.error()};
  if (*own)
    announce("your own ledger was put back from its copy; what stood in its place lies in .claude-testing/archive");
  notices_on_console out;
  auto ledger = app::open_and_tell(workspace, state::ledger::access::read_write, out);
  if (!ledger) return tl::unexpected{ledger.error()};
  if (auto settled = app::mark_killed_run_interrupted(workspace, *ledger); !settled)
    return tl::unexpected{settled.error()};
  restored_files done;
  auto paths = app::restore_files(workspace, *ledger, **handler, done.troubles);
  if (!paths) return tl::unexpected{paths.error()};
  done.paths = std::move(*paths);
  return done;
}

int verify(const verify_options& options) {
  const auto workspace = state::open_workspace(options.project);
  if (!workspace) return refuse(options, workspace.error());
  const auto models = claude::catalog::load();
  if (!models) return refuse(options, models.error());
  std::error_code ignored;
  if (!std::filesystem::exists(workspace->root(), ignored))
    return refuse(options, {ec::state_missing, "nothing was run here yet, so that there is nothing to verify"});
  // First without writing: what is damaged is told, not touched. A ledger that is not this user's may be replaced.
  auto all = app::verify_project(*workspace, *models, {options.archives});
  const bool replaceable =
      options.restore && !all && state::is_replaceable(all.error().code) && !state::backups_of(*workspace).empty();
  if (!all && !replaceable) return refuse(options, all.error());
  if (options.restore) {
    auto done = restore(*workspace);
    if (!done) return refuse(options, done.error());
    all = app::verify_project(*workspace, *models, {options.archives});
    if (!all) return refuse(options, all.error());
    all->restored = std::move(done->paths);
    all->findings.insert(all->findings.end(), done->troubles.begin(), done->troubles.end());
  }
  print(options.json ? as_json(*workspace, *all) : text_of(*workspace, *all));
  return static_cast<int>(all->findings.empty() ? exit_code::done : exit_code::fatal);
}

}  // namespace

void add_verify(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<verify_options>();
  auto* command =
      app.add_subcommand("verify", "Check that ledger, delivered files and state agree; exit code 1 and a list if not");
  command->add_option("project", options->project, "The project's directory")->required();
  command->add_flag(
      "--restore", options->restore,
      "Write delivered files that are missing, or lack tests that were delivered into them, again from the "
      "stored answers; edited ones are left alone");
  command->add_flag("--archives", options->archives, "Check the ledgers that --clean put aside as well");
  command->add_flag("--json", options->json, "One JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return verify(*options); }; });
}

}  // namespace cohort::cli
