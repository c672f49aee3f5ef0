// The course of a run: look at the state, plan or continue, connect, run, tell how it ended.

#include "cli/generate.hpp"

#include <algorithm>
#include <csignal>

#include <fmt/format.h>
#include <unistd.h>

#include "actors/run.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "claude/catalog.hpp"
#include "cli/batch_reports.hpp"
#include "cli/console.hpp"
#include "cli/project_plan.hpp"
#include "cli/provider.hpp"
#include "cli/run_defaults.hpp"
#include "cli/signals.hpp"
#include "cli/stats.hpp"
#include "planning/batches.hpp"
#include "planning/task_defaults.hpp"
#include "planning/answer_craft.hpp"
#include "state/lock.hpp"
#include "state/view.hpp"

namespace cohort {

namespace {

int to_int(exit_code code) { return static_cast<int>(code); }

/// What every form of the command needs to know.
struct command_context {
  generate_options options;
  workspace place;
  run_defaults defaults;
  catalog models;
};

expected<command_context> make_context(const generate_options& options) {
  auto place = open_workspace(options.project);
  if (!place) return tl::unexpected{place.error()};
  auto defaults = load_run_defaults();
  if (!defaults) return tl::unexpected{defaults.error()};
  auto models = catalog::load();
  if (!models) return tl::unexpected{models.error()};
  return command_context{options, std::move(*place), std::move(*defaults), std::move(*models)};
}

expected<std::optional<run_record>> stored_run(const command_context& context) {
  auto book = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_only);
  if (!book && book.error().code == ec::state_missing) return std::optional<run_record>{};
  if (!book) return tl::unexpected{book.error()};
  return book->newest_run();
}

/// Also true for a run that was killed between its last task and its end: it still has files to compare and a state to
/// close.
bool unfinished(const std::optional<run_record>& run) { return run && run->status != run_status::finished; }

/// What the state file of another program (the original generator's) asks for; nothing if there is none.
expected<std::optional<imported_view>> foreign_state(const command_context& context) {
  auto view = read_view(context.place.view_file());
  if (!view && view.error().code == ec::state_missing) return std::optional<imported_view>{};
  if (!view) return tl::unexpected{view.error()};
  return std::optional<imported_view>{std::move(*view)};
}

/// The settings that the command line is laid over: those of the unfinished run, else of another program's state where
/// this one never ran, else the defaults.
expected<run_settings> settings_to_start_from(const command_context& context, const std::optional<run_record>& stored) {
  if (unfinished(stored)) return stored->settings;
  auto settings = context.defaults.settings;
  if (stored) return settings;
  auto foreign = foreign_state(context);
  if (!foreign) return tl::unexpected{foreign.error()};
  if (!*foreign) return settings;
  const auto& view = **foreign;
  settings.batch_size = view.settings.batch_size;
  settings.model = view.settings.model;
  settings.concurrent = std::max(1u, view.settings.concurrent);
  settings.timeout = view.settings.timeout;
  settings.min_complexity = std::max(1u, view.settings.min_complexity);
  settings.cost_limit = view.settings.cost_limit;
  notice(fmt::format("batch-state.json comes from another program ({} of {} tasks, {} spent): its settings are taken over; its "
                     "tests are not known here, and its spending counts against no limit of this run",
                     view.completed_tasks, view.total_tasks, to_string(view.spent)));
  return settings;
}

std::filesystem::path output_folder(const command_context& context, const run_settings& settings) {
  const std::filesystem::path wanted{settings.output_directory};
  return wanted.is_absolute() ? wanted : context.place.project / wanted;
}

plan_request planning_of(const command_context& context, const run_settings& settings, const model_info& model, bool write) {
  plan_request request{context.place, settings, model, context.defaults.cache};
  request.include = context.options.include;
  request.exclude = context.options.exclude;
  request.gap_report = context.options.gap_report;
  request.write_cache = write;
  return request;
}

expected<std::vector<batch_range>> cut(const std::vector<task_weight>& tasks, uint32_t size) {
  if (size != 0) return cut_batches(tasks.size(), size);
  auto defaults = load_planning_defaults(config_directory());
  if (!defaults) return tl::unexpected{defaults.error()};
  return cut_batches_evenly(tasks, defaults->batches);
}

// --- --stats, --clean, --dry-run ---------------------------------------------------------------------------------

int show_stats(const command_context& context) {
  auto book = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_only);
  if (!book && book.error().code == ec::state_missing)
    return complain({ec::state_missing, "nothing was run here yet; start with: cohort generate-logical-batch PROJECT"});
  if (!book) return complain(book.error());
  auto run = book->newest_run();
  if (!run) return complain(run.error());
  if (!*run)
    return complain({ec::state_missing, "nothing was run here yet; start with: cohort generate-logical-batch PROJECT"});
  auto open = needing_attention(*book, (*run)->id);
  if (!open) return complain(open.error());
  if (context.options.json) {
    print(run_json(**run, *open));
    return to_int(exit_code::done);
  }
  print(run_table(**run, *open, context.options.verbose));
  if (const auto holder = current_holder(context.place.lock_file()))
    print(fmt::format("  running    process {} on {} since {}\n", holder->process, holder->host, to_iso8601(holder->since)));
  return to_int(exit_code::done);
}

lock_holder this_process(const command_context& context) {
  char host[256] = {0};
  ::gethostname(host, sizeof host - 1);
  return {::getpid(), host, fmt::format("generate-logical-batch {}", printable(context.place.project.string(), 500)), wall_now(), {}};
}

int clean(const command_context& context) {
  std::error_code ignored;
  if (!std::filesystem::exists(context.place.root(), ignored)) {
    notice("there is no state to reset");
    return to_int(exit_code::done);
  }
  auto lock = run_lock::acquire(context.place.lock_file(), this_process(context));
  if (!lock) return complain(lock.error());
  auto archive = archive_state(context.place);
  if (!archive) return complain(archive.error());
  print(fmt::format("The state is reset. What it was lies in {}; generated tests stay where they are.\n", archive->string()));
  return to_int(exit_code::done);
}

std::string delivered_words(size_t count) {
  return fmt::format("{} tasks were delivered before and have not changed; they are not asked for again", count);
}

struct dry_plan {
  std::vector<batch_record> batches;
  std::vector<std::vector<std::string>> labels;
  plan_summary summary;
  size_t tasks = 0;
  size_t delivered = 0;  ///< Delivered by an earlier run and unchanged: not in the plan.
};

expected<dry_plan> plan_without_writing(const command_context& context, const run_settings& settings, const model_info& model) {
  std::vector<task_weight> weights;
  std::vector<task_estimate> estimates;
  std::vector<std::string> labels;
  auto book = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_only);
  if (!book && book.error().code != ec::state_missing) return tl::unexpected{book.error()};
  error trouble;
  size_t delivered = 0;
  auto summary = plan_project(planning_of(context, settings, model, false), [&](task_spec&& task) {
    const auto known = book ? book->delivered_before(task.id) : expected<bool>{false};
    if (!known) {
      trouble = known.error();
      return false;
    }
    if (*known) {
      ++delivered;
      return true;
    }
    weights.push_back({task.estimate.expected, task.complexity});
    estimates.push_back(task.estimate);
    labels.push_back(task.label);
    return true;
  });
  if (trouble.code != ec::none) return tl::unexpected{trouble};
  if (!summary) return tl::unexpected{summary.error()};
  auto ranges = cut(weights, settings.batch_size);
  if (!ranges) return tl::unexpected{ranges.error()};
  dry_plan plan;
  plan.delivered = delivered;
  plan.tasks = weights.size();
  plan.summary = std::move(*summary);
  for (const auto& range : *ranges) {
    batch_record batch;
    batch.index = static_cast<uint32_t>(plan.batches.size());
    batch.tasks.planned = static_cast<uint32_t>(range.count);
    auto& names = plan.labels.emplace_back();
    for (size_t i = range.first; i < range.first + range.count; ++i) {
      batch.estimate.low += estimates[i].low;
      batch.estimate.expected += estimates[i].expected;
      batch.estimate.worst += estimates[i].worst;
      names.push_back(labels[i]);
    }
    plan.batches.push_back(batch);
  }
  return plan;
}

int dry_run(const command_context& context, const std::optional<run_record>& stored) {
  const auto base = settings_to_start_from(context, stored);
  if (!base) return complain(base.error());
  auto settings = resolve_settings(context.options, *base);
  if (!settings) return complain(settings.error());
  if (unfinished(stored) && !asks_for_another_plan(*settings, stored->settings)) {
    print(fmt::format("The run {} is not finished; the same command continues it:\n", stored->batch_id));
    std::vector<batch_record> left;
    for (const auto& batch : stored->batches)
      if (batch.tasks.final() != batch.tasks.total()) left.push_back(batch);
    print(plan_table(left, std::vector<std::vector<std::string>>(left.size()), false));
    return to_int(exit_code::done);
  }
  auto model = context.models.find(settings->model);
  if (!model) return complain(model.error());
  auto plan = plan_without_writing(context, *settings, *model);
  if (!plan) return complain(plan.error());
  print(describe(plan->summary, context.options.verbose));
  if (plan->delivered > 0) print(delivered_words(plan->delivered) + "\n");
  if (plan->batches.empty()) {
    print("Nothing to do.\n");
    return to_int(exit_code::done);
  }
  print(fmt::format("Plan with {} ({}):\n", model->id, settings->model));
  print(plan_table(plan->batches, plan->labels, context.options.verbose));
  if (context.options.batched && settings->batch_size != 0)
    print(judge_batching(plan->tasks, settings->batch_size).message + "\n");
  return to_int(exit_code::done);
}

// --- A run -----------------------------------------------------------------------------------------------------------

/// A run that is ready to be executed, or the reason why there is nothing to execute.
struct ready_run {
  std::optional<run_record> run;
  run_settings settings;
  model_info model;
};

/// Writes a new plan into the ledger. No run if there is nothing to do or batching brings nothing.
expected<std::optional<run_record>> plan_anew(const command_context& context, ledger& book, const run_settings& settings,
                                              const model_info& model) {
  if (auto begun = book.begin_plan(settings, model.id); !begun) return tl::unexpected{begun.error()};
  std::vector<task_weight> weights;
  size_t delivered = 0;
  error trouble;
  auto summary = plan_project(planning_of(context, settings, model, true), [&](task_spec&& task) {
    const auto known = book.delivered_before(task.id);
    if (known && *known) {
      ++delivered;
      return true;
    }
    auto added = known ? book.add_task(task) : expected<void>{tl::unexpected{known.error()}};
    if (!added) {
      trouble = added.error();
      return false;
    }
    weights.push_back({task.estimate.expected, task.complexity});
    return true;
  });
  const auto give_up = [&](error problem) -> tl::unexpected<error> {
    book.abandon_plan();
    return tl::unexpected<error>{std::move(problem)};
  };
  if (trouble.code != ec::none) return give_up(trouble);
  if (!summary) return give_up(summary.error());
  if (context.options.level() != verbosity::quiet && !context.options.json) {
    notice(describe(*summary, context.options.verbose));
    if (delivered > 0) notice(delivered_words(delivered));
  }
  const auto verdict = judge_batching(weights.size(), settings.batch_size == 0 ? 1 : settings.batch_size);
  const bool worthless = context.options.batched && settings.batch_size != 0 && verdict.benefit == batching_benefit::none;
  if (weights.empty() || (worthless && !context.options.force && delivered == 0)) {
    book.abandon_plan();
    if (weights.empty())
      notice(delivered > 0 ? "Everything is delivered; there is nothing to do." : "No gaps were found; there is nothing to do.");
    else
      notice(verdict.message + "\nUse --force to run in batches all the same.");
    return std::optional<run_record>{};
  }
  const bool worth_saying = verdict.benefit == batching_benefit::minimal || context.options.level() != verbosity::quiet;
  if (context.options.batched && settings.batch_size != 0 && !context.options.json && worth_saying) notice(verdict.message);
  auto ranges = cut(weights, settings.batch_size);
  if (!ranges) return give_up(ranges.error());
  std::vector<uint32_t> batch_of;
  for (size_t batch = 0; batch < ranges->size(); ++batch)
    batch_of.insert(batch_of.end(), (*ranges)[batch].count, static_cast<uint32_t>(batch));
  if (auto stored = book.commit_plan(batch_of); !stored) return give_up(stored.error());
  return book.newest_run();
}

/// Continues the stored run, or plans one.
expected<ready_run> make_ready(const command_context& context, ledger& book) {
  auto stored = book.newest_run();
  if (!stored) return tl::unexpected{stored.error()};
  const bool continues = unfinished(*stored);
  const auto base = settings_to_start_from(context, *stored);
  if (!base) return tl::unexpected{base.error()};
  auto settings = resolve_settings(context.options, *base);
  if (!settings) return tl::unexpected{settings.error()};
  auto model = context.models.find(settings->model);
  if (!model) return tl::unexpected{model.error()};
  ready_run ready{{}, *settings, *model};
  if (continues && !asks_for_another_plan(*settings, (*stored)->settings)) {
    auto& run = **stored;
    if (auto updated = book.update_run(run.id, *settings, run_status::running); !updated) return tl::unexpected{updated.error()};
    if (!view_agrees(context.place.view_file(), run)) log_warning("batch-state.json was missing or stale; it is built again from the ledger");
    if (!context.options.quiet && !context.options.json)
      notice(fmt::format("continuing {}: {} of {} tasks are done, batch {} of {} is next", run.batch_id, run.tasks().final(),
                         run.tasks().total(), run.next_batch() + 1, run.batches.size()));
    if (context.options.gap_report || !context.options.include.empty() || !context.options.exclude.empty())
      notice("cohort: warning: the plan that is continued is frozen; --include, --exclude and --gap-report count for the next one "
             "(--clean resets)");
    ready.run = std::move(run);
    return ready;
  }
  // Killed between the ledger's last word and the view's: the view is built again, also when there is nothing to do.
  if (*stored && !continues && !view_agrees(context.place.view_file(), **stored))
    if (auto shown = replace_file(context.place.view_file(), render_view(**stored), durability::now); !shown)
      return tl::unexpected{shown.error()};
  if (continues) notice("the settings ask for another plan; what is delivered stays, the rest is planned anew");
  auto planned = plan_anew(context, book, *settings, *model);
  if (!planned) return tl::unexpected{planned.error()};
  ready.run = std::move(*planned);
  return ready;
}

/// Says at once that no waiting task fits under a limit, instead of deferring them one by one.
expected<void> check_limits(const ledger& book, const run_record& run, const run_settings& settings) {
  // Where a limit stops the run, nothing beyond the batch that is next is ever reached.
  const bool goes_on = settings.on_limit != limit_policy::stop && !settings.budget;
  std::optional<nano_dollars> cheapest;
  auto visited = book.for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state) || task.state == task_state::answered) return;
    if (!goes_on && task.batch != run.next_batch()) return;
    if (!cheapest || task.spec.estimate.worst < *cheapest) cheapest = task.spec.estimate.worst;
  });
  if (!visited) return visited;
  if (!cheapest) return {};
  const auto too_low = [&](const char* option, const std::optional<nano_dollars>& limit, nano_dollars spent) -> expected<void> {
    if (!limit || spent + *cheapest <= *limit) return {};
    return fail(spent.count == 0 ? ec::limit_too_low : ec::limit_reached,
                fmt::format("{} {} lets no task run: {} is spent, and the cheapest waiting task may cost up to {}. "
                            "The least that works is {}",
                            option, to_exact_string(*limit), to_string(spent), to_exact_string(*cheapest), to_exact_string(spent + *cheapest)));
  };
  if (auto fits = too_low("--budget", settings.budget, run.spent().total()); !fits) return fits;
  if (settings.on_limit == limit_policy::warn) return {};
  return too_low("--cost-limit", settings.cost_limit, {});
}

std::string closing_words(const run_outcome& outcome, const run_record& run) {
  const auto tasks = run.tasks();
  switch (outcome.status) {
    case run_status::finished:
      return tasks.failed == 0 ? "Done." : fmt::format("Finished; {} tasks failed. The same command tries them again.", tasks.failed);
    case run_status::stopped_by_limit:
      return fmt::format("Stopped by a limit: {}.\nRaise it and run the same command to continue.", outcome.message);
    case run_status::interrupted: return outcome.message + ".";
    case run_status::failed: return fmt::format("Stopped: {}", outcome.message);
    case run_status::running: return {};
  }
  return {};
}

int conclude(const command_context& context, const ledger& book, const run_outcome& outcome) {
  auto run = book.newest_run();
  if (!run) return complain(run.error());
  auto open = needing_attention(book, (*run)->id);
  if (!open) return complain(open.error());
  if (context.options.json)
    print(summary_event(**run, *open));
  else
    print(run_table(**run, *open, context.options.verbose) +
          fmt::format("  tests      {}\n", output_folder(context, (*run)->settings).string()));
  notice(closing_words(outcome, **run));
  if (outcome.code == ec::interrupted) return to_int(exit_code::interrupted);
  if (outcome.status == run_status::failed) return to_int(exit_code::fatal);
  if (outcome.status == run_status::stopped_by_limit) return to_int(exit_code::stopped_by_limit);
  return to_int((*run)->tasks().failed > 0 ? exit_code::failed_tasks : exit_code::done);
}

/// What the count-th signal does. While a project is still read there is nothing to drain: the second one ends at once,
/// which is safe, because a plan is stored whole or not at all.
void heed_signal(int count, run_controls& controls) {
  if (count == 1) {
    notice("\nfinishing what is in flight; once more stops at once");
    controls.drain();
  } else if (count == 2 && controls.running()) {
    notice("\nstopping now; what is in flight stays charged as unconfirmed");
    controls.stop_now();
  } else {
    ::_exit(to_int(exit_code::interrupted));
  }
}

int execute_run(const command_context& context, std::shared_ptr<ledger> book, ready_run ready, const provider_connection& connection,
                run_controls& controls) {
  if (auto fits = check_limits(*book, *ready.run, ready.settings); !fits) return complain(fits.error());
  auto craft = load_test_craft(config_directory());
  if (!craft) return complain(craft.error());
  auto facts = std::make_shared<run_context>();
  facts->settings = ready.settings;
  facts->model = ready.model;
  facts->craft = craft->get();
  facts->outcomes = outcome_policy{context.defaults.retries};
  facts->max_batches = context.options.max_batches;

  auto sink = make_screen({context.options.level(), context.options.json, ready.settings});
  if (context.options.report_dir) {
    auto reports = with_batch_reports(std::move(sink), *context.options.report_dir, context.place, ready.run->id);
    if (!reports) return complain(reports.error());
    sink = std::move(*reports);
  }
  const auto outcome = execute({facts, context.place, output_folder(context, ready.settings), book, *ready.run,
                                connection.way, connection.resend, sink},
                               controls);
  return conclude(context, *book, outcome);
}

int run(const command_context& context) {
  run_controls controls;
  block_signals();
  auto connection = connect_provider(context.options);
  if (!connection) return complain(connection.error());
  const signal_watch watch{[&](int count) { heed_signal(count, controls); }};
  if (auto prepared = prepare(context.place); !prepared) return complain(prepared.error());
  auto lock = run_lock::acquire(context.place.lock_file(), this_process(context));
  if (!lock) return complain(lock.error());
  if (auto opened = open_log(context.place.log_file(), context.options.verbose ? log_level::debug : log_level::info); !opened)
    return complain(opened.error());
  if (auto reserved = reserve_ballast(context.place, context.defaults.ballast_bytes); !reserved) return complain(reserved.error());
  auto opened = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_write);
  if (!opened) return complain(opened.error());
  auto book = std::make_shared<ledger>(std::move(*opened));
  auto ready = make_ready(context, *book);
  int code = to_int(exit_code::done);
  if (!ready)
    code = complain(ready.error());
  else if (ready->run)
    code = execute_run(context, book, std::move(*ready), *connection, controls);
  release_ballast(context.place);
  return code;
}

}  // namespace

int generate(const generate_options& options) {
  auto context = make_context(options);
  if (!context) return complain(context.error());
  if (options.stats) return show_stats(*context);
  if (options.clean) return clean(*context);
  auto stored = stored_run(*context);
  if (!stored) return complain(stored.error());
  std::error_code ignored;
  if (options.resume && !*stored && !std::filesystem::exists(context->place.view_file(), ignored))
    return complain({ec::state_missing, "--resume: there is no run to continue here; leave --resume out to start one"});
  if (options.dry_run) return dry_run(*context, *stored);
  const int code = run(*context);
  close_log();
  return code;
}

}  // namespace cohort
