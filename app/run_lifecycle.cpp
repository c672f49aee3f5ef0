// Keeps the order that makes an interruption harmless: lock, log, ballast, ledger; and at the end the ledger's copy.

#include "app/run_lifecycle.hpp"

#include <fmt/format.h>

#include "app/limits_check.hpp"
#include "app/loaded_languages.hpp"
#include "app/reports/batch_reports.hpp"
#include "app/restoration.hpp"
#include "app/resume.hpp"
#include "app/run_liveness.hpp"
#include "base/text.hpp"
#include "state/batch_state_file.hpp"
#include "state/foreign_state.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

namespace {

using ended = expected<std::optional<ended_run>>;

constexpr double shortest_lease = 0.5;
constexpr double longest_lease = 3600;

/// Listens where nodes may join. Null without --listen.
expected<std::shared_ptr<actors::listening>> open_for_nodes(const listen_request& wanted) {
  if (!wanted.address) return std::shared_ptr<actors::listening>{};
  auto where = cluster::parse_address(*wanted.address);
  if (!where) return fail(ec::usage, "--listen: " + where.error().message);
  auto gate = std::make_shared<actors::listening>();
  if (wanted.lease_seconds) {
    if (!(*wanted.lease_seconds >= shortest_lease && *wanted.lease_seconds <= longest_lease))
      return fail(ec::usage, fmt::format("--lease-timeout: give {} to {} seconds", shortest_lease, longest_lease));
    gate->lease = milliseconds{static_cast<int64_t>(*wanted.lease_seconds * 1000)};
  }
  auto own = cluster::cluster_credentials::load(wanted.cluster, cluster::cluster_side::coordinator);
  if (!own) return tl::unexpected{own.error()};
  gate->own = std::make_shared<const cluster::cluster_credentials>(std::move(*own));
  auto listener = cluster::tls_gate::listen(*where, gate->own);
  if (!listener) return tl::unexpected{listener.error()};
  gate->gate = std::move(*listener);
  return gate;
}

/// Without workers of its own a coordinator needs no key, and no connection to the provider.
expected<provider_connection> connect_workers(const project_context& context, const run_settings& settings) {
  return settings.concurrent == 0 ? expected<provider_connection>{provider_connection{}}
                                  : connect_provider(context.request.provider);
}

/// A run whose limits let no task run is stored as stopped by them.
expected<void> check_limits_or_stop(const project_context& context, state::ledger& ledger, const ready_run& ready) {
  auto fits = check_limits(ledger, *ready.run, ready.how);
  if (fits) return {};
  if (auto stored = ledger.update_run(ready.run->id, ready.how.settings, run_status::stopped_by_limit); !stored)
    return stored;
  if (auto run = ledger.newest_run(); run && *run)
    if (auto shown = state::write_batch_state(context.workspace, **run, durability::now); !shown) return shown;
  return fits;
}

/// `handler` must outlive what is returned.
actors::context_ptr facts_of(const project_context& context, const resolved_run& how, const answer_handler& handler) {
  auto facts = std::make_shared<actors::run_context>();
  facts->settings = how.settings;
  facts->model = how.model;
  facts->fallbacks = how.fallbacks;
  facts->handler = &handler;
  facts->outcomes = actors::outcome_policy{context.defaults.retries};
  facts->fallback_rest = context.defaults.fallback_rest;
  facts->max_batches = context.request.max_batches;
  facts->carried = how.carried;
  return facts;
}

expected<std::shared_ptr<actors::event_sink>> sink_for(const project_context& context, const ready_run& ready,
                                                       bool listens, const run_environment& environment) {
  auto sink = environment.make_sink(ready.how.settings, listens);
  if (!context.request.report_dir) return sink;
  return with_batch_reports(std::move(sink), *context.request.report_dir, context.workspace, ready.run->id,
                            environment.out);
}

ended execute_run(const project_context& context, const std::shared_ptr<state::ledger>& ledger, const ready_run& ready,
                  const provider_connection& connection, const std::shared_ptr<actors::listening>& gate,
                  const run_environment& environment) {
  // Answers that nodes hold cost less than what they are charged with until they arrive: those come first.
  const auto in_doubt = gate ? ledger->in_doubt(ready.run->id) : expected<std::vector<state::in_doubt_attempt>>{};
  if (!in_doubt) return tl::unexpected{in_doubt.error()};
  if (in_doubt->empty())
    if (auto fits = check_limits_or_stop(context, *ledger, ready); !fits) return tl::unexpected{fits.error()};
  auto priced = ready.how.fallbacks;
  priced.push_back(ready.how.model);
  if (auto noted = ledger->record_prices(priced); !noted) return tl::unexpected{noted.error()};
  const auto handler = guarded_handler_for(context.workspace);
  if (!handler) return tl::unexpected{handler.error()};
  const auto sink = sink_for(context, ready, gate != nullptr, environment);
  if (!sink) return tl::unexpected{sink.error()};
  auto outcome = actors::execute({facts_of(context, ready.how, **handler),
                                  context.workspace,
                                  output_folder(context, ready.how.settings),
                                  ledger,
                                  *ready.run,
                                  connection.provider,
                                  connection.resend,
                                  *sink,
                                  gate,
                                  {},
                                  {}},
                                 environment.stop.controls);
  const auto run = ledger->newest_run();
  if (!run) return tl::unexpected{run.error()};
  auto open = needing_attention(*ledger, (*run)->id);
  if (!open) return tl::unexpected{open.error()};
  return ended_run{std::move(outcome), **run, std::move(*open), output_folder(context, (*run)->settings)};
}

/// What is delivered is not asked for again, also when its file was deleted.
void tell_of_missing_files(const project_context& context, const state::ledger& ledger, notices& out) {
  const auto newest = ledger.newest_run();
  if (!newest || !*newest) return;
  const auto open = needing_attention(ledger, (*newest)->id);
  if (!open || open->missing_files == 0) return;
  out.warn(fmt::format("{} delivered files are not there any more; to write them again: cohort verify --restore {}",
                       open->missing_files, printable(context.workspace.project.string(), 1000)));
}

/// What took the ledger away will have taken its tests, too: a ledger that was put back brings them again.
expected<state::ledger> take_up_ledger(const state::workspace& workspace, notices& out) {
  std::string note;
  auto ledger = state::open_ledger(workspace, state::ledger::access::read_write, &note);
  if (!ledger || note.empty()) return ledger;
  out.warn(note);
  const auto handler = guarded_handler_for(workspace);
  if (!handler) return tl::unexpected{handler.error()};
  std::vector<state::audit_finding> troubles;
  const auto written = restore_files(workspace, *ledger, **handler, troubles);
  if (!written) return tl::unexpected{written.error()};
  if (!written->empty())
    out.announce(fmt::format("{} test files were written again from stored answers", written->size()));
  for (const auto& trouble : troubles) out.warn(fmt::format("{}: {}", trouble.where, trouble.what));
  return ledger;
}

/// What is stored may have changed until the lock was ours: then it is resolved again, and so is the connection.
ended plan_and_execute(const project_context& context, const std::shared_ptr<state::ledger>& ledger,
                       const stored_state& looked_at, resolved_run how, provider_connection connection,
                       const std::shared_ptr<actors::listening>& gate, const run_environment& environment) {
  auto stored = look_at_state(*ledger);
  if (!stored) return tl::unexpected{stored.error()};
  if (!is_the_same_state(looked_at, *stored)) {
    auto again = resolve_run(context, *stored);
    if (!again) return tl::unexpected{again.error()};
    how = std::move(*again);
  }
  how.carried = how.continues ? stored->carried : spending{};
  const auto ready =
      make_ready(context, *ledger, std::move(*stored), std::move(how), environment.stop, environment.out);
  if (!ready) return tl::unexpected{ready.error()};
  if (!ready->run) {
    tell_of_missing_files(context, *ledger, environment.out);
    return std::nullopt;
  }
  const auto connected = connection.provider ? expected<provider_connection>{std::move(connection)}
                                             : connect_workers(context, ready->how.settings);
  if (!connected) return tl::unexpected{connected.error()};
  return execute_run(context, ledger, *ready, *connected, gate, environment);
}

/// With the lock held.
ended work(const project_context& context, const stored_state& looked_at, const resolved_run& how,
           provider_connection connection, const std::shared_ptr<actors::listening>& gate,
           const run_environment& environment) {
  auto opened = take_up_ledger(context.workspace, environment.out);
  if (!opened) return tl::unexpected{opened.error()};
  const auto ledger = std::make_shared<state::ledger>(std::move(*opened));
  const auto killed = mark_killed_run_interrupted(context.workspace, *ledger);
  if (!killed) return tl::unexpected{killed.error()};
  if (*killed)
    environment.out.warn("the last run ended without saying so; batch-state.json is built again from the ledger");
  auto end = plan_and_execute(context, ledger, looked_at, how, std::move(connection), gate, environment);
  if (auto copied = ledger->write_backup(); !copied)
    environment.out.warn(fmt::format("the ledger was not copied: {}", copied.error().message));
  // A run that could not start, or not store its end.
  if (const auto left = mark_killed_run_interrupted(context.workspace, *ledger); !left)
    log_error("{}", left.error().message);
  return end;
}

/// What a signal would have to remove is there until this ends.
class lock_in_force {
 public:
  explicit lock_in_force(stop_handler& stop) : stop_(stop) { stop_.locked(); }
  lock_in_force(const lock_in_force&) = delete;
  lock_in_force& operator=(const lock_in_force&) = delete;
  ~lock_in_force() { stop_.unlocked(); }

 private:
  stop_handler& stop_;
};

}  // namespace

std::chrono::seconds grace_of(const project_context& context) {
  return context.request.grace_seconds ? std::chrono::seconds{*context.request.grace_seconds} : context.defaults.grace;
}

expected<stored_state> look_before_run(const project_context& context) {
  if (auto own = state::check_own_state(context.workspace); !own) return tl::unexpected{own.error()};
  auto stored = look_at_state(context);
  if (!stored) return stored;
  std::error_code ignored;
  if (context.request.must_continue && !stored->run &&
      !std::filesystem::exists(context.workspace.batch_state_path(), ignored))
    return fail(ec::state_missing, "--resume: there is no run to continue here; leave --resume out to start one");
  if (auto fine = refuse_if_ledger_was_lost(context, stored->run); !fine) return tl::unexpected{fine.error()};
  return stored;
}

expected<std::optional<ended_run>> run_project(const project_context& context, const stored_state& looked_at,
                                               const resolved_run& how, const run_environment& environment) {
  const auto& workspace = context.workspace;
  auto gate = open_for_nodes(context.request.listen);
  if (!gate) {
    // If that is so because the same run is at work already, that is what the user has to know.
    const auto taken = state::run_lock::acquire(workspace.lock_file(), this_process(context));
    return tl::unexpected{taken ? gate.error() : taken.error()};
  }
  auto connection = connect_workers(context, how.settings);
  if (!connection) return tl::unexpected{connection.error()};
  if (auto prepared = state::prepare(workspace); !prepared) return tl::unexpected{prepared.error()};
  auto holder = this_process(context);
  if (*gate) {
    holder.listens = cluster::to_string((*gate)->gate->address());
    holder.cluster = std::filesystem::absolute(context.request.listen.cluster).string();
  }
  const auto lock = state::run_lock::acquire(workspace.lock_file(), holder);
  if (!lock) return tl::unexpected{lock.error()};
  const lock_in_force locked{environment.stop};
  const auto log = workspace.log_file().lexically_relative(workspace.project);
  if (auto opened = open_log(workspace.project, log, environment.log); !opened) return tl::unexpected{opened.error()};
  if (*gate) environment.out.announce(fmt::format("nodes may join at {}", holder.listens));
  if (auto reserved = state::reserve_ballast(workspace, context.defaults.ballast_bytes); !reserved)
    return tl::unexpected{reserved.error()};
  auto end = work(context, looked_at, how, std::move(*connection), *gate, environment);
  state::release_ballast(workspace);
  return end;
}

}  // namespace cohort::app
