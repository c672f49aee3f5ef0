// `cohort trust`: shows what state that this user did not sign would make Cohort do, and takes it over if the user
// agrees.

#include <iostream>

#include <fmt/format.h>
#include <unistd.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/project_context.hpp"
#include "app/reports/json_output.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "state/foreign_state.hpp"
#include "state/run_lock.hpp"

namespace cohort::cli {

namespace {

using nlohmann::ordered_json;

struct trust_options {
  std::filesystem::path project;
  bool yes = false;
  bool json = false;
};

std::string limit_text(const std::optional<nano_dollars>& limit) {
  return limit ? exact_dollars(*limit) : std::string{"none"};
}

/// `model_id` is what is asked, whatever the name beside it says.
std::string settings_text(const run_settings& x, const std::string& model_id) {
  return fmt::format(
      "  model        {}{}\n  in flight    up to {} requests, {} tasks a batch, {} s for a task\n  limits       {} for "
      "the "
      "run, {} for each batch\n",
      model_id.empty() ? printable(x.model) : fmt::format("{} ({})", printable(model_id), printable(x.model)),
      x.fallback.empty() ? "" : ", fallback " + printable(x.fallback), x.concurrent, x.batch_size,
      x.timeout.count() / 1000, limit_text(x.budget), limit_text(x.cost_limit));
}

std::string ledger_text(const state::foreign_state& found) {
  auto text = fmt::format("  ledger       made for '{}', {} run(s), {} stored answers, {} delivered files\n",
                          printable(found.made_for, 1000), found.runs, found.stored_answers, found.files);
  if (found.newest) {
    const auto& run = *found.newest;
    const auto tasks = run.tasks();
    text += fmt::format("  newest run   {}, {}: {} of {} tasks done, {} answers wait to be written\n",
                        printable(run.batch_id), name(run.status), tasks.final(), tasks.total(), tasks.answered);
    text += settings_text(run.settings, run.model_id);
  }
  text += fmt::format("  spent        {} confirmed and {} unconfirmed in all runs; it counts against the limits\n",
                      to_string(found.of_all_runs.confirmed), to_string(found.of_all_runs.unconfirmed));
  for (const auto& folder : found.folders)
    text += fmt::format("  writes into  {}{}\n", printable(folder.path.native(), 1000),
                        folder.in_project ? "" : "   OUTSIDE OF THE PROJECT");
  if (found.runs > found.folders.size() && found.folders.size() == 20) text += "               and further ones\n";
  for (const auto& file : found.files_outside)
    text += fmt::format("  may replace  {}   OUTSIDE OF THE PROJECT, if its content is the recorded one\n",
                        printable(file, 1000));
  return text;
}

std::string view_text(const state::imported_batch_state& view) {
  return fmt::format("  batch-state  {} of {} tasks done, {} spent; it names no tasks, so only its settings count\n",
                     view.completed_tasks, view.total_tasks, to_string(view.spent)) +
         settings_text(view.settings, {});
}

ordered_json settings_json(const run_settings& x) {
  ordered_json value{{"model", x.model},
                     {"fallbackModel", x.fallback},
                     {"maxConcurrent", x.concurrent},
                     {"batchSize", x.batch_size},
                     {"timeout", x.timeout.count()}};
  if (x.budget) value["budget"] = as_dollars(*x.budget);
  if (x.cost_limit) value["costLimit"] = as_dollars(*x.cost_limit);
  return value;
}

ordered_json as_json(const state::foreign_state& found) {
  auto event = app::new_event("foreign-state");
  if (found.view) {
    event["batchState"] = {{"completedTasks", found.view->completed_tasks},
                           {"totalTasks", found.view->total_tasks},
                           {"spent", as_dollars(found.view->spent)},
                           {"settings", settings_json(found.view->settings)}};
    return event;
  }
  event["madeFor"] = found.made_for;
  event["runs"] = found.runs;
  event["answers"] = found.stored_answers;
  event["files"] = found.files;
  event["spent"] = {{"confirmed", as_dollars(found.of_all_runs.confirmed)},
                    {"unconfirmed", as_dollars(found.of_all_runs.unconfirmed)}};
  if (found.newest) {
    event["settings"] = settings_json(found.newest->settings);
    event["settings"]["modelId"] = found.newest->model_id;
  }
  event["folders"] = ordered_json::array();
  for (const auto& folder : found.folders)
    event["folders"].push_back({{"path", folder.path.native()}, {"inProject", folder.in_project}});
  event["filesOutside"] = found.files_outside;
  return event;
}

/// True if the user typed yes. Only a person can: where no terminal is, --yes is needed.
bool agreed(const trust_options& options) {
  if (options.yes) return true;
  if (options.json || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDERR_FILENO) == 0) return false;
  notice("Take it over? Type yes to do so:");
  std::string answer;
  return std::getline(std::cin, answer) && answer == "yes";
}

/// `batch-state.json` is signed as well.
expected<void> show_newest_run(const state::workspace& workspace) {
  const auto ledger = state::ledger::open(workspace.ledger_file(), workspace.project, state::ledger::access::read_only);
  if (!ledger) return ledger.error().code == ec::state_missing ? expected<void>{} : tl::unexpected{ledger.error()};
  const auto run = ledger->newest_run();
  if (!run) return tl::unexpected{run.error()};
  return *run ? state::write_batch_state(workspace, **run, durability::now) : expected<void>{};
}

int take_over(const state::workspace& workspace, const trust_options& options) {
  const auto lock = state::run_lock::acquire(workspace.lock_file(),
                                             app::holder_of("trust " + printable(workspace.project.native(), 500)));
  if (!lock) return complain(lock.error());
  const auto archive = state::take_over_state(workspace);
  if (!archive) return complain(archive.error());
  if (auto shown = show_newest_run(workspace); !shown) return complain(shown.error());
  if (options.json) {
    auto event = app::new_event("trusted");
    if (*archive) event["archive"] = (*archive)->native();
    print(app::on_one_line(event));
  } else {
    print(*archive ? fmt::format("Taken over and signed. The ledger as it was lies in {}.\n", (*archive)->native())
                   : std::string{"Taken over and signed.\n"});
  }
  return to_int(exit_code::done);
}

int trust(const trust_options& options) {
  speak_as({options.json, false});
  const auto workspace = state::open_workspace(options.project);
  if (!workspace) return complain(workspace.error());
  const auto found = state::look_at_foreign_state(*workspace);
  if (!found && found.error().code == ec::state_missing) {
    announce(found.error().message);
    return to_int(exit_code::done);
  }
  if (!found) return complain(found.error());
  if (options.json)
    print(app::on_one_line(as_json(*found)));
  else
    print(fmt::format("State in {} that you have not signed:\n{}", printable(workspace->root().native(), 1000),
                      found->view ? view_text(*found->view) : ledger_text(*found)) +
          "If you take it over, the next run continues with these settings and uses the stored answers.\n");
  if (agreed(options)) return take_over(*workspace, options);
  return complain({ec::state_untrusted, "nothing was changed. To take it over: cohort trust --yes PROJECT"});
}

}  // namespace

void add_trust(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<trust_options>();
  auto* command = app.add_subcommand(
      "trust", "Show state that came with a project or from an older version, and take it over if you agree");
  command->add_option("project", options->project, "The project's directory")->required();
  command->add_flag("--yes", options->yes, "Take it over without asking");
  command->add_flag("--json", options->json, "Events as JSON on stdout, one a line; asks nothing");
  command->callback([options, &chosen] { chosen = [options] { return trust(*options); }; });
}

}  // namespace cohort::cli
