// The parts that all forms of the command share.

#include "cli/command_context.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

expected<command_context> make_context(const generate_options& options) {
  auto workspace = state::open_workspace(options.project);
  if (!workspace) return tl::unexpected{workspace.error()};
  auto defaults = load_run_defaults();
  if (!defaults) return tl::unexpected{defaults.error()};
  auto planning = planning::load_planning_defaults(config_directory());
  if (!planning) return tl::unexpected{planning.error()};
  auto models = claude::catalog::load();
  if (!models) return tl::unexpected{models.error()};
  return command_context{options, std::move(*workspace), std::move(*defaults), std::move(*planning),
                         std::move(*models)};
}

expected<std::optional<run_record>> stored_run(const command_context& context) {
  auto ledger = state::open_ledger(context.workspace, state::ledger::access::read_only);
  if (!ledger && ledger.error().code == ec::state_missing) return std::optional<run_record>{};
  if (!ledger) return tl::unexpected{ledger.error()};
  return ledger->newest_run();
}

bool unfinished(const std::optional<run_record>& run) {
  // A late answer may come in the last moment of a run: its file is to be written, not asked for again.
  return run && (run->status != run_status::finished || run->tasks().answered > 0);
}

std::filesystem::path output_folder(const command_context& context, const run_settings& settings) {
  const std::filesystem::path wanted{settings.output_directory};
  return wanted.is_absolute() ? wanted : context.workspace.project / wanted;
}

plan_request planning_of(const command_context& context, const run_settings& settings, const model_info& model,
                         bool write) {
  plan_request request;
  request.workspace = context.workspace;
  request.settings = settings;
  request.planning = context.planning;
  request.model = model;
  request.cache = context.defaults.cache;
  request.include = context.options.include;
  request.exclude = context.options.exclude;
  request.gap_report = context.options.gap_report;
  request.write_cache = write;
  return request;
}

expected<std::vector<planning::batch_range>> cut(const command_context& context,
                                                 const std::vector<planning::task_weight>& tasks, uint32_t size) {
  if (size != 0) return planning::cut_batches(tasks.size(), size);
  return planning::cut_batches_evenly(tasks, context.planning.batches);
}

expected<model_info> model_for(const command_context& context, const run_settings& settings,
                               const run_record* continued) {
  const bool same_name = continued != nullptr && continued->settings.model == settings.model;
  return context.models.find(same_name ? continued->model_id : settings.model);
}

bool needs_another_plan(const command_context& context, const run_settings& settings, const run_record& stored) {
  const auto model = model_for(context, settings, &stored);
  return !model || model->id != stored.model_id || asks_for_another_plan(settings, stored.settings);
}

state::lock_holder holder_of(std::string command) {
  char host[256] = {0};
  ::gethostname(host, sizeof host - 1);
  return {::getpid(), host, std::move(command), wall_now(), {}, {}};
}

state::lock_holder this_process(const command_context& context) {
  return holder_of(fmt::format("{} {}", context.options.batched ? "generate-logical-batch" : "generate-logical",
                               printable(context.workspace.project.string(), 500)));
}

expected<state::ledger> open_and_tell(const state::workspace& workspace, state::ledger::access mode) {
  std::string note;
  auto ledger = state::open_ledger(workspace, mode, &note);
  if (ledger && !note.empty()) warn(note);
  return ledger;
}

}  // namespace cohort::cli
