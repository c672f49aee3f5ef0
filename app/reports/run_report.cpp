// Tables and JSON from what the ledger says.

#include "app/reports/run_report.hpp"

#include <unordered_set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "base/text.hpp"

namespace cohort::app {

namespace {

using nlohmann::ordered_json;

constexpr size_t most_shown = 20;

ordered_json counts_json(const state_counts& counts) {
  return {{"total", counts.total()},   {"delivered", counts.delivered}, {"failed", counts.failed},
          {"skipped", counts.skipped}, {"deferred", counts.deferred},   {"answered", counts.answered},
          {"planned", counts.planned}};
}

/// Which model answered how often, and for how much.
ordered_json models_json(const run_record& run) {
  auto list = ordered_json::array();
  for (const auto& [model, share] : run.by_model)
    list.push_back({{"model", model}, {"answers", share.answers}, {"cost", as_dollars(share.cost)}});
  return list;
}

ordered_json money_json(const spending& spent, const task_estimate& estimate) {
  ordered_json value{{"confirmed", as_dollars(spent.confirmed)}, {"unconfirmed", as_dollars(spent.unconfirmed)}};
  value.update(estimate_json(estimate));
  return value;
}

std::string attention_lines(const attention_list& open, bool verbose) {
  std::string text;
  size_t shown = 0;
  for (const auto& task : open.tasks) {
    if (!verbose && ++shown > most_shown) {
      text += fmt::format("  ... and {} more (-v lists all)\n", open.tasks.size() - most_shown);
      break;
    }
    text += fmt::format("  {:<9} {}  ({}: {})\n", name(task.state), printable(task.label), name(task.code),
                        printable(task.reason, 300));
  }
  return text;
}

std::string conflict_copy_lines(const std::vector<std::string>& paths, bool verbose) {
  if (paths.empty()) return {};
  std::string text = fmt::format(
      "  beside     {} results lie beside files of yours, or ones that you changed, which were left alone:\n",
      paths.size());
  size_t shown = 0;
  for (const auto& path : paths) {
    if (!verbose && ++shown > most_shown)
      return text + fmt::format("  ... and {} more (-v lists all)\n", paths.size() - most_shown);
    text += fmt::format("             {}\n", printable(path, 1000));
  }
  return text;
}

}  // namespace

ordered_json estimate_json(const task_estimate& estimate) {
  return {{"estimateLow", as_dollars(estimate.low)},
          {"estimateExpected", as_dollars(estimate.expected)},
          {"estimateWorst", as_dollars(estimate.worst)}};
}

expected<attention_list> needing_attention(const state::ledger& ledger, int64_t run) {
  attention_list open;
  auto visited = ledger.for_each_task(run, [&](const task_record& task) {
    if (task.state == task_state::failed || task.state == task_state::skipped || task.state == task_state::deferred)
      open.tasks.push_back({task.spec.label, task.state, task.code, task.reason});
  });
  if (!visited) return tl::unexpected{visited.error()};
  const auto delivered = ledger.deliveries(run);
  if (!delivered) return tl::unexpected{delivered.error()};
  std::unordered_set<std::string> missing;  // The parts of a split file share one path.
  for (const auto& file : *delivered) {
    if (state::is_missing(file.path)) missing.insert(file.path);
    if (file.conflict_copy) open.conflict_copies.push_back(file.path);
  }
  open.missing_files = missing.size();
  return open;
}

std::string run_table(const run_record& run, const attention_list& open, const table_style& style) {
  const auto tasks = run.tasks();
  const auto spent = run.spent();
  const auto estimate = run.estimate();
  std::string text = fmt::format("run {}  {}\n", printable(run.batch_id),
                                 open.killed ? "interrupted (it ended without saying so)" : name(run.status));
  if (style.shows_batches)
    text += fmt::format("  batches    {} of {} completed\n", run.completed_batches(), run.batches.size());
  text += fmt::format("  tasks      {} of {}: {} delivered, {} failed, {} skipped, {} deferred, {} waiting\n",
                      tasks.final(), tasks.total(), tasks.delivered, tasks.failed, tasks.skipped, tasks.deferred,
                      tasks.planned + tasks.answered);
  text += fmt::format("  cost       {} of about {} (at most {})\n", to_string(spent.confirmed),
                      to_string(estimate.expected), to_string(estimate.worst));
  if (spent.unconfirmed > nano_dollars{})
    text +=
        fmt::format("  unconfirmed  up to {} for requests whose outcome is unknown; it counts against every limit\n",
                    to_string(spent.unconfirmed));
  if (run.duplicate_answers > 0)
    text += fmt::format("  paid twice {} answers came although their task had one already, for {}; part of the cost\n",
                        run.duplicate_answers, to_string(run.duplicate_cost));
  if (run.settings.budget) text += fmt::format("  budget     {} for the run\n", to_string(*run.settings.budget));
  if (run.settings.cost_limit)
    text += fmt::format("  limit      {} for each batch\n", to_string(*run.settings.cost_limit));
  text += fmt::format("  model      {} ({})\n", printable(run.model_id), printable(run.settings.model));
  if (!run.settings.fallback.empty()) text += fmt::format("  fallback   {}\n", printable(run.settings.fallback));
  if (run.fell_back())
    for (const auto& [model, share] : run.by_model)
      text += fmt::format("  answered   {} by {} for {}\n", share.answers, printable(model), to_string(share.cost));
  text += fmt::format("  started    {}\n  updated    {}  ({} later)\n", to_iso8601(run.started),
                      to_iso8601(run.updated), human_duration(milliseconds{run.updated.ms - run.started.ms}));
  if (open.missing_files > 0)
    text += fmt::format(
        "  missing    {} delivered files are not there any more; to write them again: cohort verify --restore {}\n",
        open.missing_files, printable(run.project, 1000));
  return text + attention_lines(open, style.verbose) + conflict_copy_lines(open.conflict_copies, style.verbose);
}

ordered_json summary_event(const run_record& run, const attention_list& open) {
  auto value = new_event("summary");
  value["batchId"] = run.batch_id;
  value["status"] = name(open.killed ? run_status::interrupted : run.status);
  if (open.killed) value["killed"] = true;
  value["projectPath"] = run.project;
  value["model"] = run.model_id;
  if (!run.settings.fallback.empty()) value["fallbackModel"] = run.settings.fallback;
  value["models"] = models_json(run);
  value["startTime"] = to_iso8601(run.started);
  value["lastUpdate"] = to_iso8601(run.updated);
  value["batches"] = {
      {"total", run.batches.size()}, {"completed", run.completed_batches()}, {"next", run.next_batch()}};
  value["tasks"] = counts_json(run.tasks());
  value["cost"] = money_json(run.spent(), run.estimate());
  value["paidTwice"] = {{"answers", run.duplicate_answers}, {"cost", as_dollars(run.duplicate_cost)}};
  value["limits"] = ordered_json::object();
  if (run.settings.cost_limit) value["limits"]["batch"] = as_dollars(*run.settings.cost_limit);
  if (run.settings.budget) value["limits"]["run"] = as_dollars(*run.settings.budget);
  value["missingFiles"] = open.missing_files;
  value["beside"] = open.conflict_copies;
  value["attention"] = ordered_json::array();
  for (const auto& task : open.tasks)
    value["attention"].push_back(
        {{"source", task.label}, {"state", name(task.state)}, {"code", name(task.code)}, {"reason", task.reason}});
  return value;
}

ordered_json holder_json(const state::lock_holder& holder) {
  ordered_json value{{"process", holder.process}, {"host", holder.host}, {"since", to_iso8601(holder.since)}};
  if (!holder.listens.empty()) value["listens"] = holder.listens;
  return value;
}

std::string batch_report_json(const run_record& run, uint32_t batch, const std::vector<task_record>& tasks,
                              const std::vector<state::attempt_record>& attempts) {
  ordered_json value;
  const auto& record = run.batches[batch];
  value["batchId"] = run.batch_id;
  value["batch"] = batch;
  value["batches"] = run.batches.size();
  value["model"] = run.model_id;
  if (!run.settings.fallback.empty()) value["fallbackModel"] = run.settings.fallback;
  value["tasks"] = counts_json(record.tasks);
  value["cost"] = money_json(record.spent, record.estimate);
  value["results"] = ordered_json::array();
  for (const auto& task : tasks) {
    ordered_json one{{"task", to_string(task.spec.id)},
                     {"source", task.spec.label},
                     {"target", task.spec.target},
                     {"state", name(task.state)},
                     {"complexity", task.spec.complexity}};
    if (task.code != ec::none) one["code"] = name(task.code);
    if (!task.reason.empty()) one["reason"] = task.reason;
    one["attempts"] = ordered_json::array();
    for (const auto& attempt : attempts) {
      if (attempt.task != task.spec.id) continue;
      ordered_json row{{"attempt", attempt.attempt},
                       {"model", attempt.model},
                       {"requestId", attempt.request_id},
                       {"cost", as_dollars(attempt.cost)},
                       {"promptTokens", attempt.usage.prompt_tokens()},
                       {"outputTokens", attempt.usage.output_tokens}};
      if (attempt.code != ec::none) row["code"] = name(attempt.code);
      if (attempt.unconfirmed || attempt.open) row["unconfirmedCost"] = as_dollars(attempt.reserved);
      one["attempts"].push_back(std::move(row));
    }
    value["results"].push_back(std::move(one));
  }
  return indented(value);
}

}  // namespace cohort::app
