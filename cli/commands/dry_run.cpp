// Prints a plan that nothing is written of, or what is left of the one that goes on.

#include "cli/commands/dry_run.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/plan_builder.hpp"
#include "app/reports/json_output.hpp"
#include "app/reports/plan_report.hpp"
#include "app/resume.hpp"
#include "base/text.hpp"
#include "cli/console.hpp"

namespace cohort::cli {

namespace {

std::string table_of(const std::vector<app::planned_batch>& batches, const app::table_style& style) {
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
    app::add(sum, batch.estimate);
    tasks += batch.sources.size();
  }
  return text + sums("all", tasks, sum);
}

int tell_what_is_left(const app::project_context& context, const run_record& run, const generate_options& options,
                      app::notices& out) {
  const auto left = app::what_is_left(context, run, out);
  if (!left) return complain(left.error());
  app::warn_of_frozen_plan(context, out);
  if (options.json) {
    auto event = app::new_event("plan");
    event["batchId"] = run.batch_id;
    event["model"] = run.model_id;
    event["tasks"] = run.tasks().total() - run.tasks().final();
    app::put_batches(event, *left);
    print(app::on_one_line(event));
  } else {
    print(fmt::format("The run {} is not finished; the same command continues it:\n", printable(run.batch_id)) +
          table_of(*left, options.style()));
  }
  return to_int(exit_code::done);
}

std::string plan_text(const app::dry_plan& plan, const app::resolved_run& how, const app::table_style& style) {
  auto text = app::describe(plan.outline, style.verbose);
  if (plan.batches.empty()) return text + app::nothing_to_do(plan.outline) + "\n";
  text += fmt::format("Plan with {} ({}):\n", how.model.id, how.settings.model);
  for (const auto& other : how.fallbacks) text += fmt::format("  while it is overloaded: {}\n", other.id);
  text += table_of(plan.batches, style);
  return plan.outline.verdict ? text + plan.outline.verdict->message + "\n" : text;
}

nlohmann::ordered_json dry_plan_event(const app::dry_plan& plan, const app::resolved_run& how) {
  auto event = app::plan_event(plan.outline);
  event["model"] = how.model.id;
  event["fallbackModels"] = nlohmann::ordered_json::array();
  for (const auto& other : how.fallbacks) event["fallbackModels"].push_back(other.id);
  app::put_batches(event, plan.batches);
  return event;
}

}  // namespace

int dry_run(const app::project_context& context, const app::stored_state& stored, const generate_options& options,
            app::notices& out) {
  const auto how = app::resolve_run(context, stored);
  if (!how) return complain(how.error());
  app::tell_of_foreign_state(context, stored.run, out);
  if (how->continues) return tell_what_is_left(context, *stored.run, options, out);
  if (how->replaces) app::tell_of_another_plan(out);
  const auto plan = app::plan_without_writing(context, *how, out);
  if (!plan) return complain(plan.error());
  if (options.json)
    print(app::on_one_line(dry_plan_event(*plan, *how)));
  else
    print(plan_text(*plan, *how, options.style()));
  return to_int(exit_code::done);
}

}  // namespace cohort::cli
