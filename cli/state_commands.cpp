// Looking at the state, and putting it aside.

#include "cli/state_commands.hpp"

#include <fmt/format.h>

#include "cli/console.hpp"
#include "cli/nodes_file.hpp"
#include "cli/prepare_run.hpp"
#include "cli/stats.hpp"
#include "state/ledger.hpp"
#include "state/view.hpp"

namespace cohort {

namespace {

error nothing_run_yet(const command_context& context) {
  const auto view = read_view(context.place.view_file());
  if (!view) return {ec::state_missing, "nothing was run here yet; start with: cohort generate-logical-batch PROJECT"};
  return {ec::state_missing, fmt::format("there is no ledger here, only a batch-state.json that tells of {} of {} "
                                         "tasks done and {} spent; a run takes "
                                         "over its settings: cohort generate-logical-batch PROJECT",
                                         view->completed_tasks, view->total_tasks, to_string(view->spent))};
}

struct dry_plan {
  std::vector<batch_record> batches;
  std::vector<std::vector<std::string>> labels;
  plan_summary summary;
  size_t tasks = 0;
  size_t delivered = 0;  ///< Delivered by an earlier run and unchanged: not in the plan.
};

expected<dry_plan> plan_without_writing(const command_context& context, const run_settings& settings,
                                        const model_info& model) {
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

/// The waiting tasks of a run that is not finished, by batch.
expected<dry_plan> what_is_left(const command_context& context, const run_record& run) {
  auto book = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_only);
  if (!book) return tl::unexpected{book.error()};
  dry_plan left;
  auto visited = book->for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state)) return;
    if (left.batches.empty() || left.batches.back().index != task.batch) {
      left.batches.emplace_back().index = task.batch;
      left.labels.emplace_back();
    }
    auto& batch = left.batches.back();
    ++batch.tasks.of(task.state);
    batch.estimate.low += task.spec.estimate.low;
    batch.estimate.expected += task.spec.estimate.expected;
    batch.estimate.worst += task.spec.estimate.worst;
    left.labels.back().push_back(task.spec.label);
  });
  if (!visited) return tl::unexpected{visited.error()};
  return left;
}

}  // namespace

std::string delivered_words(size_t count) {
  return fmt::format("{} tasks were delivered before and have not changed; they are not asked for again", count);
}

int show_stats(const command_context& context) {
  auto book = ledger::open(context.place.ledger_file(), context.place.project, ledger::access::read_only);
  if (!book && book.error().code == ec::state_missing) return complain(nothing_run_yet(context));
  if (!book) return complain(book.error());
  auto run = book->newest_run();
  if (!run) return complain(run.error());
  if (!*run) return complain(nothing_run_yet(context));
  auto open = needing_attention(*book, (*run)->id);
  if (!open) return complain(open.error());
  const auto holder = current_holder(context.place.lock_file());
  const auto nodes = holder ? read_nodes_file(context.place.nodes_file()) : std::vector<node_view>{};
  if (context.options.json) {
    print(run_json(**run, *open, nodes));
    return to_int(exit_code::done);
  }
  print(run_table(**run, *open, context.options.verbose));
  if (holder)
    print(fmt::format("  running    process {} on {} since {}{}\n", holder->process, holder->host,
                      to_iso8601(holder->since),
                      holder->listens.empty() ? "" : ", nodes may join at " + holder->listens) +
          nodes_table(nodes, wall_now()));
  return to_int(exit_code::done);
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
  print(fmt::format("The state is reset. What it was lies in {}; generated tests stay where they are.\n",
                    archive->string()));
  return to_int(exit_code::done);
}

int dry_run(const command_context& context, const std::optional<run_record>& stored) {
  const auto base = settings_to_start_from(context, stored);
  if (!base) return complain(base.error());
  tell_of_foreign_state(context, stored);
  auto settings = resolve_settings(context.options, *base);
  if (!settings) return complain(settings.error());
  if (unfinished(stored) && !needs_another_plan(context, *settings, *stored)) {
    print(fmt::format("The run {} is not finished; the same command continues it:\n", stored->batch_id));
    const auto left = what_is_left(context, *stored);
    if (!left) return complain(left.error());
    print(plan_table(left->batches, left->labels, context.options.verbose));
    return to_int(exit_code::done);
  }
  auto model = model_for(context, *settings, nullptr);
  if (!model) return complain(model.error());
  const auto fallbacks = context.models.fallbacks_of(*model, settings->fallback);
  if (!fallbacks) return complain(fallbacks.error());
  auto plan = plan_without_writing(context, *settings, *model);
  if (!plan) return complain(plan.error());
  print(describe(plan->summary, context.options.verbose));
  if (plan->delivered > 0) print(delivered_words(plan->delivered) + "\n");
  if (plan->batches.empty()) {
    print("Nothing to do.\n");
    return to_int(exit_code::done);
  }
  print(fmt::format("Plan with {} ({}):\n", model->id, settings->model));
  for (const auto& other : *fallbacks) print(fmt::format("  while it is overloaded: {}\n", other.id));
  print(plan_table(plan->batches, plan->labels, context.options.verbose));
  if (context.options.batched && settings->batch_size != 0)
    print(judge_batching(plan->tasks, settings->batch_size).message + "\n");
  return to_int(exit_code::done);
}

}  // namespace cohort
