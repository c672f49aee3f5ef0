// Planning, continuing, importing.

#include "cli/prepare_run.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/dry_run.hpp"
#include "cli/stopping.hpp"
#include "state/batch_state_file.hpp"
#include "state/foreign_state.hpp"
#include "state/generated_files.hpp"

namespace cohort::cli {

namespace {

/// Writes a new plan into the ledger. No run if there is nothing to do or batching brings nothing.
expected<std::optional<run_record>> plan_anew(const command_context& context, state::ledger& ledger,
                                              const run_settings& settings, const model_info& model,
                                              stop_handler& stop) {
  auto generated = state::generated_files(context.workspace, &ledger);
  if (!generated) return tl::unexpected{generated.error()};
  auto request = planning_of(context, settings, model, true);
  request.generated = std::move(*generated);
  if (auto begun = ledger.begin_plan(settings, model.id); !begun) return tl::unexpected{begun.error()};
  std::vector<planning::task_weight> weights;
  size_t delivered = 0;
  error trouble;
  stop.begin_planning();
  auto summary = plan_project(request, [&](task_spec&& task) {
    const auto known = ledger.delivered_before(task.id);
    if (known && *known) {
      ++delivered;
      return true;
    }
    auto added = known ? ledger.add_task(task) : expected<void>{tl::unexpected{known.error()}};
    if (!added) {
      trouble = added.error();
      return false;
    }
    weights.push_back({task.estimate.expected, task.complexity});
    return true;
  });
  stop.end_planning();
  const auto give_up = [&](error problem) -> tl::unexpected<error> {
    ledger.abandon_plan();
    return tl::unexpected<error>{std::move(problem)};
  };
  if (trouble.code != ec::none) return give_up(trouble);
  if (!summary) return give_up(summary.error());
  const plan_outline outline{std::move(*summary), weights.size(), delivered,
                             verdict_on(context, settings, weights.size(), delivered)};
  tell_of(context, outline);
  const auto& verdict = outline.verdict;
  const bool worthless = verdict && verdict->benefit == planning::batching_benefit::none && !context.options.force;
  if (weights.empty() || worthless) {
    ledger.abandon_plan();
    announce(lines{weights.empty() ? nothing_to_do(outline) : verdict->message});
    return std::optional<run_record>{};
  }
  if (verdict && verdict->benefit == planning::batching_benefit::minimal)
    warn(verdict->message);
  else if (verdict)
    inform(verdict->message);
  auto ranges = cut(context, weights, settings.batch_size);
  if (!ranges) return give_up(ranges.error());
  std::vector<uint32_t> batch_of;
  for (size_t batch = 0; batch < ranges->size(); ++batch)
    batch_of.insert(batch_of.end(), (*ranges)[batch].count, static_cast<uint32_t>(batch));
  if (auto stored = ledger.commit_plan(batch_of); !stored) return give_up(stored.error());
  return ledger.newest_run();
}

/// Puts a `batch-state.json` without a ledger aside before a plan of ours replaces it.
expected<void> keep_foreign_state(const command_context& context) {
  std::error_code ignored;
  if (!std::filesystem::exists(context.workspace.batch_state_path(), ignored)) return {};
  const auto archive = state::archive_batch_state(context.workspace);
  if (!archive) return tl::unexpected{archive.error()};
  announce(fmt::format("the batch-state.json that was found is kept in {}", archive->string()));
  return {};
}

/// Takes up the stored run where it is.
expected<ready_run> go_on(const command_context& context, state::ledger& ledger, run_record run, ready_run ready) {
  warn_of_frozen_plan(context);
  if (!state::batch_state_agrees(context.workspace.batch_state_path(), run))
    warn("batch-state.json was missing or did not agree with the ledger; it is built again");
  if (auto updated = ledger.update_run(run.id, ready.settings, run_status::running); !updated)
    return tl::unexpected{updated.error()};
  const auto next = context.options.shows_batches
                        ? fmt::format(", batch {} of {} is next", run.next_batch() + 1, run.batches.size())
                        : std::string{};
  inform(fmt::format("continuing {}: {} of {} tasks are done{}", run.batch_id, run.tasks().final(), run.tasks().total(),
                     next));
  ready.run = std::move(run);
  return ready;
}

/// A plan that replaces one with paid answers that are not written yet would pay for them again.
expected<void> check_nothing_is_lost(const run_record& replaced) {
  if (replaced.tasks().answered == 0) return {};
  return fail(
      ec::usage,
      fmt::format("{} paid answers of the present plan are not written yet, and another plan would pay for them "
                  "again. Run the same command without the options that ask for another plan, which writes "
                  "them into '{}'; or give them up with --clean",
                  replaced.tasks().answered, printable(replaced.settings.output_directory, 1000)));
}

}  // namespace

void warn_of_frozen_plan(const command_context& context) {
  if (context.options.gap_report || !context.options.include.empty() || !context.options.exclude.empty())
    warn(
        "the plan that is continued is frozen; --include, --exclude and --gap-report count for the next one (--clean "
        "resets)");
}

void tell_of_another_plan() {
  announce(
      "the settings ask for another plan; what is delivered stays, the rest is planned anew, and what was spent "
      "counts against --budget");
}

expected<void> refuse_if_ledger_was_lost(const command_context& context, const std::optional<run_record>& stored) {
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view && view.error().code == ec::state_newer) return tl::unexpected{view.error()};
  if (!view || stored || !view->ours || (view->completed_tasks == 0 && view->spent.count == 0)) return {};
  return fail(ec::state_corrupt,
              fmt::format("the ledger '{}' is gone, but batch-state.json tells of its run: {} of {} tasks done, {} "
                          "spent. Nothing was changed. Restore the ledger from a backup, or run `cohort "
                          "generate-logical-batch PROJECT --clean` to start afresh, which pays for everything again",
                          context.workspace.ledger_file().string(), view->completed_tasks, view->total_tasks,
                          to_string(view->spent)));
}

expected<run_settings> settings_to_start_from(const command_context& context, const std::optional<run_record>& stored) {
  if (unfinished(stored)) return stored->settings;
  auto settings = context.defaults.settings;
  if (stored) return settings;
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view && view.error().code == ec::state_missing) return settings;
  if (!view) return tl::unexpected{view.error()};
  if (auto own = state::check_own_state(context.workspace); !own) return tl::unexpected{own.error()};
  settings.batch_size = view->settings.batch_size;
  settings.model = view->settings.model;
  settings.concurrent = std::max(1u, view->settings.concurrent);
  settings.timeout = view->settings.timeout;
  settings.min_complexity = std::max(1u, view->settings.min_complexity);
  settings.cost_limit = view->settings.cost_limit;
  return settings;
}

void tell_of_foreign_state(const command_context& context, const std::optional<run_record>& stored) {
  if (stored) return;
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view) return;
  announce(fmt::format(
      "a batch-state.json without a ledger tells of {} of {} tasks done and {} spent: its settings are taken over. It "
      "names no tasks, so everything that lacks tests is planned; its spending counts against no limit of this run",
      view->completed_tasks, view->total_tasks, to_string(view->spent)));
}

expected<void> check_output(const command_context& context, const run_settings& settings,
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
  return fail(context.options.tests_dir ? ec::usage : ec::permission_denied,
              fmt::format("the tests of this run belong in '{}', but: {}. Nothing was asked. Make it writable{}",
                          printable(folder.string(), 1000), fine.error().message,
                          answers_wait ? ": answers that are paid for wait to be written there"
                                       : ", or name another folder with --tests-dir"));
}

expected<ready_run> make_ready(const command_context& context, state::ledger& ledger, stop_handler& stop) {
  auto stored = ledger.newest_run();
  if (!stored) return tl::unexpected{stored.error()};
  const bool continues = unfinished(*stored);
  const auto base = settings_to_start_from(context, *stored);
  if (!base) return tl::unexpected{base.error()};
  tell_of_foreign_state(context, *stored);
  auto settings = resolve_settings(context.options, *base);
  if (!settings) return tl::unexpected{settings.error()};
  auto model = model_for(context, *settings, continues ? &**stored : nullptr);
  if (!model) return tl::unexpected{model.error()};
  auto fallbacks = context.models.fallbacks_of(*model, settings->fallback);
  if (!fallbacks) return tl::unexpected{fallbacks.error()};
  if (fallbacks->empty() && !settings->fallback.empty())
    warn(fmt::format("no model stands in for {} in config/models.json", model->id));
  ready_run ready{{}, *settings, *model, std::move(*fallbacks), {}};
  if (continues && !needs_another_plan(context, *settings, **stored)) {
    auto carried = ledger.spent_on_replaced_plans((*stored)->id);
    if (!carried) return tl::unexpected{carried.error()};
    ready.carried = *carried;
    return go_on(context, ledger, std::move(**stored), std::move(ready));
  }
  if (continues) {
    if (auto safe = check_nothing_is_lost(**stored); !safe) return tl::unexpected{safe.error()};
    tell_of_another_plan();
  }
  // Killed between the ledger's last word and the view's: the view is built again, also when there is nothing to do.
  if (*stored && !continues && !state::batch_state_agrees(context.workspace.batch_state_path(), **stored))
    if (auto shown = state::write_batch_state(context.workspace, **stored, durability::now); !shown)
      return tl::unexpected{shown.error()};
  if (!*stored)
    if (auto kept = keep_foreign_state(context); !kept) return tl::unexpected{kept.error()};
  auto planned = plan_anew(context, ledger, *settings, *model, stop);
  if (!planned) return tl::unexpected{planned.error()};
  ready.run = std::move(*planned);
  if (ready.run) {
    auto carried = ledger.spent_on_replaced_plans(ready.run->id);
    if (!carried) return tl::unexpected{carried.error()};
    ready.carried = *carried;
  }
  return ready;
}

expected<void> check_limits(const state::ledger& ledger, const ready_run& ready) {
  const auto& run = *ready.run;
  const auto& settings = ready.settings;
  // Where a batch's limit stops the run, nothing beyond the batch that is next is ever reached.
  const bool goes_on = settings.on_limit != limit_policy::stop;
  std::map<uint32_t, nano_dollars> cheapest;  // Of the tasks that wait, for each batch.
  auto visited = ledger.for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state) || task.state == task_state::answered) return;
    if (!goes_on && task.batch != run.next_batch()) return;
    const auto known = cheapest.try_emplace(task.batch, task.spec.estimate.worst).first;
    known->second = std::min(known->second, task.spec.estimate.worst);
  });
  if (!visited) return visited;
  if (cheapest.empty()) return {};
  const auto check = [](const char* option, const std::optional<nano_dollars>& limit, nano_dollars spent,
                        nano_dollars task, const std::string& where) -> expected<void> {
    if (!limit || spent + task <= *limit) return {};
    return fail(spent.count == 0 ? ec::limit_too_low : ec::limit_reached,
                fmt::format("{} {} lets no task run: {} is spent{}, and the cheapest waiting task may cost up to {}. "
                            "The least that works is {}",
                            option, exact_dollars(*limit), exact_dollars(spent), where, exact_dollars(task),
                            exact_dollars(spent + task)));
  };
  const auto of_run = std::min_element(cheapest.begin(), cheapest.end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  if (auto fits = check("--budget", settings.budget, run.spent().total() + ready.carried.total(), of_run->second, "");
      !fits)
    return fits;
  if (settings.on_limit == limit_policy::warn) return {};
  const auto spent_in = [&](uint32_t batch) { return run.batches[batch].spent.total(); };
  const auto of_batch = std::min_element(cheapest.begin(), cheapest.end(), [&](const auto& a, const auto& b) {
    return spent_in(a.first) + a.second < spent_in(b.first) + b.second;
  });
  return check("--cost-limit", settings.cost_limit, spent_in(of_batch->first), of_batch->second,
               fmt::format(" in batch {}", of_batch->first + 1));
}

}  // namespace cohort::cli
