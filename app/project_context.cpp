// Loads what all commands on a project share.

#include "app/project_context.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

expected<project_context> make_context(const run_request& request) {
  auto workspace = state::open_workspace(request.project);
  if (!workspace) return tl::unexpected{workspace.error()};
  auto defaults = load_run_defaults();
  if (!defaults) return tl::unexpected{defaults.error()};
  auto planning = planning::load_planning_defaults(config_directory());
  if (!planning) return tl::unexpected{planning.error()};
  auto models = claude::catalog::load();
  if (!models) return tl::unexpected{models.error()};
  return project_context{request, std::move(*workspace), std::move(*defaults), std::move(*planning),
                         std::move(*models)};
}

bool unfinished(const std::optional<run_record>& run) {
  // A late answer may come in the last moment of a run: its file is to be written, not asked for again.
  return run && (run->status != run_status::finished || run->tasks().answered > 0);
}

std::filesystem::path output_folder(const project_context& context, const run_settings& settings) {
  const std::filesystem::path wanted{settings.output_directory};
  return wanted.is_absolute() ? wanted : context.workspace.project / wanted;
}

expected<void> check_output(const project_context& context, const run_settings& settings,
                            const std::optional<run_record>& stored) {
  const auto folder = output_folder(context, settings);
  if (!state::may_hold_tests(settings.output_directory))
    return fail(ec::usage,
                fmt::format("'{}' is no folder for tests: git or this program keeps its own files there. Name "
                            "another one with --tests-dir",
                            printable(folder.string(), 1000)));
  const auto fine = check_writable(folder);
  if (fine) return {};
  const bool answers_wait = unfinished(stored) && stored->tasks().answered > 0;
  const bool asked_for = context.request.given.contains("output_directory");
  return fail(asked_for ? ec::usage : ec::permission_denied,
              fmt::format("the tests of this run belong in '{}', but: {}. Nothing was asked. Make it writable{}",
                          printable(folder.string(), 1000), fine.error().message,
                          answers_wait ? ": answers that are paid for wait to be written there"
                                       : ", or name another folder with --tests-dir"));
}

state::lock_holder holder_of(std::string command) {
  char host[256] = {0};
  ::gethostname(host, sizeof host - 1);
  return {::getpid(), host, std::move(command), wall_now(), {}, {}};
}

state::lock_holder this_process(const project_context& context) {
  return holder_of(fmt::format("{} {}", context.request.batched ? "generate-logical-batch" : "generate-logical",
                               printable(context.workspace.project.string(), 500)));
}

expected<state::ledger> open_and_tell(const state::workspace& workspace, state::ledger::access mode, notices& out) {
  std::string note;
  auto ledger = state::open_ledger(workspace, mode, &note);
  if (ledger && !note.empty()) out.warn(note);
  return ledger;
}

}  // namespace cohort::app
