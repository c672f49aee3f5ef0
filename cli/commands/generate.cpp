// The course of a run: look at the state, plan or continue, connect, run, tell how it ended.

#include "cli/commands/generate.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "actors/run/run_system.hpp"
#include "answers/guarded_handler.hpp"
#include "app/run_liveness.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "cli/batch_reports.hpp"
#include "cli/commands/stats_and_clean.hpp"
#include "cli/console.hpp"
#include "cli/dry_run.hpp"
#include "cli/prepare_run.hpp"
#include "cli/provider.hpp"
#include "cli/screen/json_output.hpp"
#include "cli/screen/nodes_file.hpp"
#include "cli/stats.hpp"
#include "cli/stopping.hpp"
#include "cli/verification.hpp"
#include "state/batch_state_file.hpp"
#include "state/foreign_state.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

namespace {

/// What the user can do about what stopped a run.
std::string_view advice_for(ec code) {
  if (code == ec::authentication || code == ec::forbidden)
    return "Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), then run the same command: it continues.";
  if (code == ec::billing || code == ec::spend_limit)
    return "Look at the account's billing and limits, then run the same command: it continues.";
  if (code == ec::disk_full) return "Free some space and run the same command: it continues.";
  return "Nothing that was paid is lost. The same command continues; .claude-testing/logs/cohort.log has the details.";
}

std::string closing_message(const run_outcome& outcome, const run_record& run) {
  const auto tasks = run.tasks();
  const auto message = printable(outcome.message, 2000);
  switch (outcome.status) {
    case run_status::finished:
      return tasks.failed == 0
                 ? "Done."
                 : fmt::format("Finished; {} tasks failed. The same command tries them again.", tasks.failed);
    case run_status::stopped_by_limit:
      return fmt::format("Stopped by a limit: {}.\nRaise it and run the same command to continue.", message);
    case run_status::interrupted: return message + ".";
    case run_status::failed: return fmt::format("Stopped: {}\n{}", message, advice_for(outcome.code));
    case run_status::running: return {};
  }
  return {};
}

int conclude(const command_context& context, const state::ledger& ledger, const run_outcome& outcome) {
  auto run = ledger.newest_run();
  if (!run) return complain(run.error());
  auto open = needing_attention(ledger, (*run)->id);
  if (!open) return complain(open.error());
  if (context.options.json)
    print(on_one_line(summary_event(**run, *open)));
  else
    print(run_table(**run, *open, style_of(context.options)) +
          fmt::format("  tests      {}\n", printable(output_folder(context, (*run)->settings).string(), 1000)));
  notice(lines{closing_message(outcome, **run)});
  if (outcome.code == ec::interrupted) return to_int(exit_code::interrupted);
  if (outcome.status == run_status::failed) return to_int(exit_code::fatal);
  if (outcome.status == run_status::stopped_by_limit) return to_int(exit_code::stopped_by_limit);
  return to_int((*run)->tasks().failed > 0 ? exit_code::failed_tasks : exit_code::done);
}

constexpr double shortest_lease = 0.5;
constexpr double longest_lease = 3600;

/// Listens where nodes may join. Null without --listen.
expected<std::shared_ptr<actors::listening>> open_for_nodes(const generate_options& options) {
  if (!options.listen) return std::shared_ptr<actors::listening>{};
  auto where = cluster::parse_address(*options.listen);
  if (!where) return fail(ec::usage, "--listen: " + where.error().message);
  auto gate = std::make_shared<actors::listening>();
  if (options.lease_seconds) {
    if (!(*options.lease_seconds >= shortest_lease && *options.lease_seconds <= longest_lease))
      return fail(ec::usage, fmt::format("--lease-timeout: give {} to {} seconds", shortest_lease, longest_lease));
    gate->lease = milliseconds{static_cast<int64_t>(*options.lease_seconds * 1000)};
  }
  auto own = cluster::cluster_credentials::load(options.cluster, cluster::cluster_side::coordinator);
  if (!own) return tl::unexpected{own.error()};
  gate->own = std::make_shared<const cluster::cluster_credentials>(std::move(*own));
  auto listener = cluster::tls_gate::listen(*where, gate->own);
  if (!listener) return tl::unexpected{listener.error()};
  gate->gate = std::move(*listener);
  return gate;
}

/// Without workers of its own a coordinator needs no key, and no way to the provider.
expected<provider_connection> connect_workers(const generate_options& options, const run_settings& settings) {
  return settings.concurrent == 0 ? expected<provider_connection>{provider_connection{}} : connect_provider(options);
}

int execute_run(const command_context& context, const std::shared_ptr<state::ledger>& ledger, ready_run ready,
                const provider_connection& connection, const std::shared_ptr<actors::listening>& gate,
                actors::run_controls& controls) {
  // Answers that nodes hold cost less than what they are charged with until they arrive: those come first.
  const auto in_doubt = gate ? ledger->in_doubt(ready.run->id) : expected<std::vector<state::in_doubt_attempt>>{};
  if (!in_doubt) return complain(in_doubt.error());
  if (auto fits = in_doubt->empty() ? check_limits(*ledger, ready) : expected<void>{}; !fits) {
    if (auto stored = ledger->update_run(ready.run->id, ready.settings, run_status::stopped_by_limit); !stored)
      return complain(stored.error());
    if (auto run = ledger->newest_run(); run && *run)
      if (auto shown = state::write_batch_state(context.workspace, **run, durability::now); !shown)
        return complain(shown.error());
    return complain(fits.error());
  }
  auto priced = ready.fallbacks;
  priced.push_back(ready.model);
  if (auto noted = ledger->record_prices(priced); !noted) return complain(noted.error());
  auto handler = answers::load_guarded_handler(config_directory(), context.workspace.root());
  if (!handler) return complain(handler.error());
  auto facts = std::make_shared<actors::run_context>();
  facts->settings = ready.settings;
  facts->model = ready.model;
  facts->fallbacks = ready.fallbacks;
  facts->handler = handler->get();
  facts->outcomes = actors::outcome_policy{context.defaults.retries};
  facts->fallback_rest = context.defaults.fallback_rest;
  facts->max_batches = context.options.max_batches;
  facts->carried = ready.carried;

  auto sink =
      make_screen({context.options.level(), context.options.json, context.options.shows_batches, ready.settings});
  if (context.options.report_dir) {
    auto reports = with_batch_reports(std::move(sink), *context.options.report_dir, context.workspace, ready.run->id);
    if (!reports) return complain(reports.error());
    sink = std::move(*reports);
  }
  if (gate) sink = with_nodes_file(std::move(sink), context.workspace.nodes_file());
  const auto outcome = actors::execute({facts,
                                        context.workspace,
                                        output_folder(context, ready.settings),
                                        ledger,
                                        *ready.run,
                                        connection.provider,
                                        connection.resend,
                                        sink,
                                        gate,
                                        {},
                                        {}},
                                       controls);
  return conclude(context, *ledger, outcome);
}

/// What is delivered is not asked for again, also when its file was deleted.
void tell_of_missing_files(const command_context& context, const state::ledger& ledger) {
  const auto newest = ledger.newest_run();
  if (!newest || !*newest) return;
  const auto open = needing_attention(ledger, (*newest)->id);
  if (!open || open->missing_files == 0) return;
  warn(fmt::format("{} delivered files are not there any more; to write them again: cohort verify --restore {}",
                   open->missing_files, printable(context.workspace.project.string(), 1000)));
}

/// What took the ledger away will have taken its tests, too: a ledger that was put back brings them again.
expected<state::ledger> take_up_ledger(const state::workspace& workspace) {
  std::string note;
  auto ledger = state::open_ledger(workspace, state::ledger::access::read_write, &note);
  if (!ledger || note.empty()) return ledger;
  warn(note);
  const auto handler = answers::load_guarded_handler(config_directory(), workspace.root());
  if (!handler) return tl::unexpected{handler.error()};
  std::vector<state::audit_finding> troubles;
  const auto written = restore_files(workspace, *ledger, **handler, troubles);
  if (!written) return tl::unexpected{written.error()};
  if (!written->empty()) announce(fmt::format("{} test files were written again from stored answers", written->size()));
  for (const auto& trouble : troubles) warn(fmt::format("{}: {}", trouble.where, trouble.what));
  return ledger;
}

/// With the lock held: looks at the state, plans or continues, runs.
int work(const command_context& context, provider_connection connection, const std::shared_ptr<actors::listening>& gate,
         stop_handler& stop) {
  auto opened = take_up_ledger(context.workspace);
  if (!opened) return complain(opened.error());
  auto ledger = std::make_shared<state::ledger>(std::move(*opened));
  const auto killed = app::mark_killed_run_interrupted(context.workspace, *ledger);
  if (!killed) return complain(killed.error());
  if (*killed) warn("the last run ended without saying so; batch-state.json is built again from the ledger");
  auto ready = make_ready(context, *ledger, stop);
  // What is stored may have changed until the lock was ours.
  auto connected = ready && !connection.provider ? connect_workers(context.options, ready->settings)
                                                 : expected<provider_connection>{std::move(connection)};
  int code = to_int(exit_code::done);
  if (!ready)
    code = complain(ready.error());
  else if (!connected)
    code = complain(connected.error());
  else if (ready->run)
    code = execute_run(context, ledger, std::move(*ready), *connected, gate, stop.controls);
  else
    tell_of_missing_files(context, *ledger);
  if (auto copied = ledger->write_backup(); !copied)
    warn(fmt::format("the ledger was not copied: {}", copied.error().message));
  // One that could not start, or not store its end.
  if (const auto left = app::mark_killed_run_interrupted(context.workspace, *ledger); !left)
    log_error("{}", left.error().message);
  return code;
}

int run(const command_context& context, const run_settings& wished) {
  stop_handler stop{context.workspace};
  block_signals();
  auto gate = open_for_nodes(context.options);
  if (!gate) {
    // If that is so because the same run is at work already, that is what the user has to know.
    const auto taken = state::run_lock::acquire(context.workspace.lock_file(), this_process(context));
    return complain(taken ? gate.error() : taken.error());
  }
  auto connection = connect_workers(context.options, wished);
  if (!connection) return complain(connection.error());
  const auto grace =
      context.options.grace_seconds ? std::chrono::seconds{*context.options.grace_seconds} : context.defaults.grace;
  const signal_watch watch{[&](stop_request request) { stop.heed(request); }, grace};
  if (auto prepared = state::prepare(context.workspace); !prepared) return complain(prepared.error());
  auto holder = this_process(context);
  if (*gate) {
    holder.listens = cluster::to_string((*gate)->gate->address());
    holder.cluster = std::filesystem::absolute(context.options.cluster).string();
  }
  auto lock = state::run_lock::acquire(context.workspace.lock_file(), holder);
  if (!lock) return complain(lock.error());
  stop.locked();
  const auto log = context.workspace.log_file().lexically_relative(context.workspace.project);
  if (auto opened =
          open_log(context.workspace.project, log, context.options.verbose ? log_level::debug : log_level::info);
      !opened)
    return complain(opened.error());
  if (*gate) announce(fmt::format("nodes may join at {}", holder.listens));
  if (auto reserved = state::reserve_ballast(context.workspace, context.defaults.ballast_bytes); !reserved)
    return complain(reserved.error());
  const int code = work(context, std::move(*connection), *gate, stop);
  state::release_ballast(context.workspace);
  return code;
}

}  // namespace

int generate(const generate_options& options) {
  speak_as({options.json, options.quiet});
  auto context = make_context(options);
  if (!context) return complain(context.error());
  if (options.stats) return show_stats(*context);
  if (options.clean) return clean(*context);
  if (auto own = state::check_own_state(context->workspace); !own) return complain(own.error());
  auto stored = stored_run(*context);
  if (!stored) return complain(stored.error());
  std::error_code ignored;
  if (options.resume && !*stored && !std::filesystem::exists(context->workspace.batch_state_path(), ignored))
    return complain({ec::state_missing, "--resume: there is no run to continue here; leave --resume out to start one"});
  if (auto fine = refuse_if_ledger_was_lost(*context, *stored); !fine) return complain(fine.error());
  if (options.dry_run) return dry_run(*context, *stored);
  // What the options say of limits and models is refused before anything is written.
  const auto base = settings_to_start_from(*context, *stored);
  if (!base) return complain(base.error());
  const auto wished = resolve_settings(options, *base);
  if (!wished) return complain(wished.error());
  if (auto model = model_for(*context, *wished, *stored ? &**stored : nullptr); !model) return complain(model.error());
  if (auto fine = check_output(*context, *wished, *stored); !fine) return complain(fine.error());
  const int code = run(*context, *wished);
  close_log();
  return code;
}

}  // namespace cohort::cli
