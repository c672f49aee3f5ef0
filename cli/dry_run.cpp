// Planning without writing, or reading what is left of a plan; then words or the event `plan`.

#include "cli/dry_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "cli/console.hpp"
#include "cli/prepare_run.hpp"
#include "cli/screen/json_output.hpp"
#include "cli/stats.hpp"
#include "state/generated_files.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

namespace {

using nlohmann::ordered_json;

/// A batch and the sources of its tasks.
struct planned_batch {
  uint32_t index = 0;
  task_estimate estimate;
  std::vector<std::string> sources;
};

std::string_view name(planning::batching_benefit benefit) noexcept {
  switch (benefit) {
    case planning::batching_benefit::nothing_to_do: return "nothing_to_do";
    case planning::batching_benefit::none: return "none";
    case planning::batching_benefit::minimal: return "minimal";
    case planning::batching_benefit::recommended: return "recommended";
  }
  return "none";
}

void add(task_estimate& sum, const task_estimate& more) {
  sum.low += more.low;
  sum.expected += more.expected;
  sum.worst += more.worst;
}

std::string text_about(const plan_outline& plan, bool verbose) {
  auto text = describe(plan.summary, verbose);
  if (plan.delivered > 0)
    text += fmt::format("{} tasks were delivered before and have not changed; they are not asked for again\n",
                        plan.delivered);
  return text;
}

ordered_json event_about(const plan_outline& plan) {
  const auto& found = plan.summary;
  auto left_out = ordered_json::array();
  for (const auto& one : found.skipped) {
    left_out.push_back({{"source", one.path}, {"code", name(one.code)}, {"reason", one.reason}});
    if (!one.symbol.empty()) left_out.back()["symbol"] = one.symbol;
  }
  auto event = new_event("plan");
  event["files"] = {{"sources", found.files},        {"tests", found.tests},
                    {"withGaps", found.with_gaps},   {"fullyTested", found.fully_tested},
                    {"tooSimple", found.too_simple}, {"nothingToTest", found.nothing_public},
                    {"leftOut", left_out},           {"notLacking", found.not_lacking}};
  event["deliveredBefore"] = plan.delivered;
  event["tasks"] = plan.tasks;
  if (plan.verdict) event["batching"] = name(plan.verdict->benefit);
  return event;
}

struct dry_plan {
  plan_outline outline;
  std::vector<planned_batch> batches;
};

expected<dry_plan> plan_without_writing(const command_context& context, const run_settings& settings,
                                        const model_info& model) {
  auto ledger = open_and_tell(context.workspace, state::ledger::access::read_only);
  if (!ledger && ledger.error().code != ec::state_missing) return tl::unexpected{ledger.error()};
  auto generated = state::generated_files(context.workspace, ledger ? &*ledger : nullptr);
  if (!generated) return tl::unexpected{generated.error()};
  auto request = planning_of(context, settings, model, false);
  request.generated = std::move(*generated);
  std::vector<planning::task_weight> weights;
  std::vector<task_estimate> estimates;
  std::vector<std::string> labels;
  error trouble;
  size_t delivered = 0;
  auto summary = plan_project(request, [&](task_spec&& task) {
    const auto known = ledger ? ledger->delivered_before(task.id) : expected<bool>{false};
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
  auto ranges = cut(context, weights, settings.batch_size);
  if (!ranges) return tl::unexpected{ranges.error()};
  dry_plan plan{
      {std::move(*summary), weights.size(), delivered, verdict_on(context, settings, weights.size(), delivered)}, {}};
  for (const auto& range : *ranges) {
    auto& batch = plan.batches.emplace_back();
    batch.index = static_cast<uint32_t>(plan.batches.size() - 1);
    for (size_t i = range.first; i < range.first + range.count; ++i) {
      add(batch.estimate, estimates[i]);
      batch.sources.push_back(std::move(labels[i]));
    }
  }
  return plan;
}

/// The waiting tasks of a run that is not finished, by batch.
expected<std::vector<planned_batch>> what_is_left(const command_context& context, const run_record& run) {
  auto ledger = open_and_tell(context.workspace, state::ledger::access::read_only);
  if (!ledger) return tl::unexpected{ledger.error()};
  std::vector<planned_batch> left;
  auto visited = ledger->for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state)) return;
    if (left.empty() || left.back().index != task.batch) left.emplace_back().index = task.batch;
    if (task.state != task_state::answered) add(left.back().estimate, task.spec.estimate);  // That one is paid.
    left.back().sources.push_back(task.spec.label);
  });
  if (!visited) return tl::unexpected{visited.error()};
  return left;
}

std::string table_of(const std::vector<planned_batch>& batches, const table_style& style) {
  const auto row = [](const auto& batch, const auto& tasks, const auto& low, const auto& expected, const auto& most) {
    return fmt::format("  {:>5}  {:>5}  {:>10}  {:>10}  {:>10}\n", batch, tasks, low, expected, most);
  };
  const auto sums = [&](const auto& batch, size_t tasks, const task_estimate& cost) {
    return row(batch, tasks, to_string(cost.low), to_string(cost.expected), to_string(cost.worst));
  };
  auto text = row(style.shows_batches ? "batch" : "", "tasks", "low", "expected", "at most");
  task_estimate sum;
  size_t tasks = 0;
  for (const auto& batch : batches) {
    if (style.shows_batches) text += sums(batch.index + 1, batch.sources.size(), batch.estimate);
    if (style.verbose)
      for (const auto& source : batch.sources) text += fmt::format("           {}\n", printable(source));
    add(sum, batch.estimate);
    tasks += batch.sources.size();
  }
  return text + sums("all", tasks, sum);
}

void put_batches(ordered_json& event, const std::vector<planned_batch>& batches) {
  task_estimate sum;
  auto list = ordered_json::array();
  for (const auto& batch : batches) {
    list.push_back({{"batch", batch.index}, {"cost", estimate_json(batch.estimate)}, {"sources", batch.sources}});
    add(sum, batch.estimate);
  }
  event["cost"] = estimate_json(sum);
  event["batches"] = std::move(list);
}

int tell_what_is_left(const command_context& context, const run_record& run) {
  const auto left = what_is_left(context, run);
  if (!left) return complain(left.error());
  warn_of_frozen_plan(context);
  if (context.options.json) {
    auto event = new_event("plan");
    event["batchId"] = run.batch_id;
    event["model"] = run.model_id;
    event["tasks"] = run.tasks().total() - run.tasks().final();
    put_batches(event, *left);
    print(on_one_line(event));
  } else {
    print(fmt::format("The run {} is not finished; the same command continues it:\n", printable(run.batch_id)) +
          table_of(*left, style_of(context.options)));
  }
  return to_int(exit_code::done);
}

std::string plan_text(const dry_plan& plan, const run_settings& settings, const model_info& model,
                      const std::vector<model_info>& fallbacks, const table_style& style) {
  auto text = text_about(plan.outline, style.verbose);
  if (plan.batches.empty()) return text + nothing_to_do(plan.outline) + "\n";
  text += fmt::format("Plan with {} ({}):\n", model.id, settings.model);
  for (const auto& other : fallbacks) text += fmt::format("  while it is overloaded: {}\n", other.id);
  text += table_of(plan.batches, style);
  return plan.outline.verdict ? text + plan.outline.verdict->message + "\n" : text;
}

}  // namespace

std::optional<planning::batching_verdict> verdict_on(const command_context& context, const run_settings& settings,
                                                     size_t tasks, size_t delivered) {
  if (!context.options.batched || settings.batch_size == 0) return std::nullopt;
  const auto verdict = planning::advise_on_batching(tasks, settings.batch_size);
  if (verdict.benefit == planning::batching_benefit::none && delivered > 0) return std::nullopt;
  return verdict;
}

std::string nothing_to_do(const plan_outline& plan) {
  if (plan.delivered > 0) return "Everything is delivered; there is nothing to do.";
  if (auto left_out = describe_unplannable(plan.summary); !left_out.empty()) return left_out;
  if (plan.summary.files + plan.summary.tests + plan.summary.skipped.size() > 0)
    return "No gaps were found; there is nothing to do.";
  return "No source file in a known language was found, of those that --include and --exclude let through; there is "
         "nothing to do.";
}

void tell_of(const command_context& context, const plan_outline& plan) {
  if (context.options.json) return print(on_one_line(event_about(plan)));
  auto text = text_about(plan, context.options.verbose);
  text.pop_back();  // The last line's end.
  inform(lines{text});
}

int dry_run(const command_context& context, const std::optional<run_record>& stored) {
  const auto base = settings_to_start_from(context, stored);
  if (!base) return complain(base.error());
  tell_of_foreign_state(context, stored);
  auto settings = resolve_settings(context.options, *base);
  if (!settings) return complain(settings.error());
  const bool open = unfinished(stored);
  if (open && !needs_another_plan(context, *settings, *stored)) return tell_what_is_left(context, *stored);
  auto model = model_for(context, *settings, nullptr);
  if (!model) return complain(model.error());
  const auto fallbacks = context.models.fallbacks_of(*model, settings->fallback);
  if (!fallbacks) return complain(fallbacks.error());
  if (open) tell_of_another_plan();
  auto plan = plan_without_writing(context, *settings, *model);
  if (!plan) return complain(plan.error());
  if (!context.options.json) {
    print(plan_text(*plan, *settings, *model, *fallbacks, style_of(context.options)));
    return to_int(exit_code::done);
  }
  auto event = event_about(plan->outline);
  event["model"] = model->id;
  event["fallbackModels"] = ordered_json::array();
  for (const auto& other : *fallbacks) event["fallbackModels"].push_back(other.id);
  put_batches(event, plan->batches);
  print(on_one_line(event));
  return to_int(exit_code::done);
}

}  // namespace cohort::cli
