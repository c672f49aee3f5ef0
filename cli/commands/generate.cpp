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
std::string_view way_on(ec code) {
  if (code == ec::authentication || code == ec::forbidden)
    return "Check ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), then run the same command: it continues.";
  if (code == ec::billing || code == ec::spend_limit)
    return "Look at the account's billing and limits, then run the same command: it continues.";
  if (code == ec::disk_full) return "Free some space and run the same command: it continues.";
  return "Nothing that was paid is lost. The same command continues; .claude-testing/logs/cohort.log has the details.";
}

std::string closing_words(const run_outcome& outcome, const run_record& run) {
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
    case run_status::failed: return fmt::format("Stopped: {}\n{}", message, way_on(outcome.code));
    case run_status::running: return {};
  }
  return {};
}

int conclude(const command_context& context, const state::ledger& book, const run_outcome& outcome) {
  auto run = book.newest_run();
  if (!run) return complain(run.error());
  auto open = needing_attention(book, (*run)->id);
  if (!open) return complain(open.error());
  if (context.options.json)
    print(on_one_line(summary_event(**run, *open)));
  else
    print(run_table(**run, *open, style_of(context.options)) +
          fmt::format("  tests      {}\n", printable(output_folder(context, (*run)->settings).string(), 1000)));
  notice(lines{closing_words(outcome, **run)});
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
  auto door = std::make_shared<actors::listening>();
  if (options.lease_seconds) {
    if (!(*options.lease_seconds >= shortest_lease && *options.lease_seconds <= longest_lease))
      return fail(ec::usage, fmt::format("--lease-timeout: give {} to {} seconds", shortest_lease, longest_lease));
    door->lease = milliseconds{static_cast<int64_t>(*options.lease_seconds * 1000)};
  }
  auto own = cluster::cluster_credentials::load(options.cluster, cluster::cluster_side::coordinator);
  if (!own) return tl::unexpected{own.error()};
  door->own = std::make_shared<const cluster::cluster_credentials>(std::move(*own));
  auto listener = cluster::doorkeeper::listen(*where, door->own);
  if (!listener) return tl::unexpected{listener.error()};
  door->door = std::move(*listener);
  return door;
}

/// Without workers of its own a coordinator needs no key, and no way to the provider.
expected<provider_connection> connect_workers(const generate_options& options, const run_settings& settings) {
  return settings.concurrent == 0 ? expected<provider_connection>{provider_connection{}} : connect_provider(options);
}

int execute_run(const command_context& context, const std::shared_ptr<state::ledger>& book, ready_run ready,
                const provider_connection& connection, const std::shared_ptr<actors::listening>& door,
                actors::run_controls& controls) {
  // Answers that nodes hold cost less than what they are charged with until they arrive: those come first.
  const auto awaited = door ? book->awaited(ready.run->id) : expected<std::vector<state::awaited_attempt>>{};
  if (!awaited) return complain(awaited.error());
  if (auto fits = awaited->empty() ? check_limits(*book, ready) : expected<void>{}; !fits) {
    if (auto stored = book->update_run(ready.run->id, ready.settings, run_status::stopped_by_limit); !stored)
      return complain(stored.error());
    if (auto run = book->newest_run(); run && *run)
      if (auto shown = state::write_view(context.place, **run, durability::now); !shown) return complain(shown.error());
    return complain(fits.error());
  }
  auto priced = ready.fallbacks;
  priced.push_back(ready.model);
  if (auto noted = book->note_prices(priced); !noted) return complain(noted.error());
  auto craft = answers::load_guarded_craft(config_directory(), context.place.root());
  if (!craft) return complain(craft.error());
  auto facts = std::make_shared<actors::run_context>();
  facts->settings = ready.settings;
  facts->model = ready.model;
  facts->fallbacks = ready.fallbacks;
  facts->craft = craft->get();
  facts->outcomes = actors::outcome_policy{context.defaults.retries};
  facts->fallback_rest = context.defaults.fallback_rest;
  facts->max_batches = context.options.max_batches;
  facts->carried = ready.carried;

  auto sink =
      make_screen({context.options.level(), context.options.json, context.options.shows_batches, ready.settings});
  if (context.options.report_dir) {
    auto reports = with_batch_reports(std::move(sink), *context.options.report_dir, context.place, ready.run->id);
    if (!reports) return complain(reports.error());
    sink = std::move(*reports);
  }
  if (door) sink = with_nodes_file(std::move(sink), context.place.nodes_file());
  const auto outcome = actors::execute({facts,
                                        context.place,
                                        output_folder(context, ready.settings),
                                        book,
                                        *ready.run,
                                        connection.way,
                                        connection.resend,
                                        sink,
                                        door,
                                        {},
                                        {}},
                                       controls);
  return conclude(context, *book, outcome);
}

/// What is delivered is not asked for again, also when its file was deleted.
void tell_of_missing_files(const command_context& context, const state::ledger& book) {
  const auto newest = book.newest_run();
  if (!newest || !*newest) return;
  const auto open = needing_attention(book, (*newest)->id);
  if (!open || open->missing_files == 0) return;
  warn(fmt::format("{} delivered files are not there any more; to write them again: cohort verify --restore {}",
                   open->missing_files, printable(context.place.project.string(), 1000)));
}

/// What took the ledger away will have taken its tests, too: a ledger that was put back brings them again.
expected<state::ledger> take_up_ledger(const state::workspace& place) {
  std::string note;
  auto book = state::open_ledger(place, state::ledger::access::read_write, &note);
  if (!book || note.empty()) return book;
  warn(note);
  const auto craft = answers::load_guarded_craft(config_directory(), place.root());
  if (!craft) return tl::unexpected{craft.error()};
  std::vector<state::audit_finding> troubles;
  const auto written = restore_files(place, *book, **craft, troubles);
  if (!written) return tl::unexpected{written.error()};
  if (!written->empty()) announce(fmt::format("{} test files were written again from stored answers", written->size()));
  for (const auto& trouble : troubles) warn(fmt::format("{}: {}", trouble.where, trouble.what));
  return book;
}

/// With the lock held: looks at the state, plans or continues, runs.
int work(const command_context& context, provider_connection connection, const std::shared_ptr<actors::listening>& door,
         stop_handler& stop) {
  auto opened = take_up_ledger(context.place);
  if (!opened) return complain(opened.error());
  auto book = std::make_shared<state::ledger>(std::move(*opened));
  const auto killed = app::settle_killed_run(context.place, *book);
  if (!killed) return complain(killed.error());
  if (*killed) warn("the last run ended without saying so; batch-state.json is built again from the ledger");
  auto ready = make_ready(context, *book, stop);
  // What is stored may have changed until the lock was ours.
  auto connected = ready && !connection.way ? connect_workers(context.options, ready->settings)
                                            : expected<provider_connection>{std::move(connection)};
  int code = to_int(exit_code::done);
  if (!ready)
    code = complain(ready.error());
  else if (!connected)
    code = complain(connected.error());
  else if (ready->run)
    code = execute_run(context, book, std::move(*ready), *connected, door, stop.controls);
  else
    tell_of_missing_files(context, *book);
  if (auto copied = book->write_backup(); !copied)
    warn(fmt::format("the ledger was not copied: {}", copied.error().message));
  // One that could not start, or not store its end.
  if (const auto left = app::settle_killed_run(context.place, *book); !left) log_error("{}", left.error().message);
  return code;
}

int run(const command_context& context, const run_settings& wished) {
  stop_handler stop{context.place};
  block_signals();
  auto door = open_for_nodes(context.options);
  if (!door) {
    // If that is so because the same run is at work already, that is what the user has to know.
    const auto taken = state::run_lock::acquire(context.place.lock_file(), this_process(context));
    return complain(taken ? door.error() : taken.error());
  }
  auto connection = connect_workers(context.options, wished);
  if (!connection) return complain(connection.error());
  const auto grace =
      context.options.grace_seconds ? std::chrono::seconds{*context.options.grace_seconds} : context.defaults.grace;
  const signal_watch watch{[&](stop_wish wish) { stop.heed(wish); }, grace};
  if (auto prepared = state::prepare(context.place); !prepared) return complain(prepared.error());
  auto holder = this_process(context);
  if (*door) {
    holder.listens = cluster::to_string((*door)->door->address());
    holder.cluster = std::filesystem::absolute(context.options.cluster).string();
  }
  auto lock = state::run_lock::acquire(context.place.lock_file(), holder);
  if (!lock) return complain(lock.error());
  stop.locked();
  const auto log = context.place.log_file().lexically_relative(context.place.project);
  if (auto opened = open_log(context.place.project, log, context.options.verbose ? log_level::debug : log_level::info);
      !opened)
    return complain(opened.error());
  if (*door) announce(fmt::format("nodes may join at {}", holder.listens));
  if (auto reserved = state::reserve_ballast(context.place, context.defaults.ballast_bytes); !reserved)
    return complain(reserved.error());
  const int code = work(context, std::move(*connection), *door, stop);
  state::release_ballast(context.place);
  return code;
}

}  // namespace

int generate(const generate_options& options) {
  speak_as({options.json, options.quiet});
  auto context = make_context(options);
  if (!context) return complain(context.error());
  if (options.stats) return show_stats(*context);
  if (options.clean) return clean(*context);
  if (auto own = state::check_own_state(context->place); !own) return complain(own.error());
  auto stored = stored_run(*context);
  if (!stored) return complain(stored.error());
  std::error_code ignored;
  if (options.resume && !*stored && !std::filesystem::exists(context->place.view_file(), ignored))
    return complain({ec::state_missing, "--resume: there is no run to continue here; leave --resume out to start one"});
  if (auto fine = check_view_is_no_warning(*context, *stored); !fine) return complain(fine.error());
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
