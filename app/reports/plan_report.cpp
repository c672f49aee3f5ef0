// Words and JSON about a plan.

#include "app/reports/plan_report.hpp"

#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "app/reports/run_report.hpp"
#include "base/text.hpp"

namespace cohort::app {

namespace {

using nlohmann::ordered_json;

constexpr size_t most_listed = 10;

std::string_view name(planning::batching_benefit benefit) noexcept {
  switch (benefit) {
    case planning::batching_benefit::nothing_to_do: return "nothing_to_do";
    case planning::batching_benefit::none: return "none";
    case planning::batching_benefit::minimal: return "minimal";
    case planning::batching_benefit::recommended: return "recommended";
  }
  return "none";
}

/// A line for each, not too many unless `verbose`.
std::string lines_of(const std::vector<std::string>& entries, bool verbose) {
  std::string text;
  size_t shown = 0;
  for (const auto& entry : entries) {
    if (!verbose && ++shown > most_listed)
      return text + fmt::format("  ... and {} more (-v lists all)\n", entries.size() - most_listed);
    text += fmt::format("  {}\n", entry);
  }
  return text;
}

std::string describe_summary(const plan_summary& summary, bool verbose) {
  std::string text = fmt::format(
      "{} source files, {} test files: {} with gaps, {} fully tested, {} too simple, {} with nothing to test",
      summary.files, summary.tests, summary.with_gaps, summary.fully_tested, summary.too_simple,
      summary.nothing_public);
  if (!summary.skipped.empty()) text += fmt::format(", {} left out:", summary.skipped.size());
  text += "\n";
  std::vector<std::string> skipped;
  for (const auto& file : summary.skipped)
    skipped.push_back(fmt::format("{}: {}", printable(file.path), printable(file.reason, 200)));
  text += lines_of(skipped, verbose);
  if (summary.not_lacking.empty()) return text;
  std::vector<std::string> named;
  for (const auto& difference : summary.not_lacking) named.push_back(printable(difference, 500));
  return text + fmt::format("{} entries of the gap report are passed over:\n", named.size()) + lines_of(named, verbose);
}

/// What lacks tests and gets no task, with the first reasons; empty if there is nothing.
std::string describe_unplannable(const plan_summary& summary) {
  constexpr size_t most_reasons = 3;
  std::set<std::string_view> files;
  std::string reasons;
  for (const auto& one : summary.skipped) {
    if (!one.lacks_tests || !files.insert(one.path).second) continue;
    if (files.size() <= most_reasons)
      reasons += fmt::format("\n  {}: {}", printable(one.path), printable(one.reason, 200));
  }
  if (files.empty()) return {};
  if (files.size() > most_reasons) reasons += fmt::format("\n  ... and {} more", files.size() - most_reasons);
  if (files.size() == 1) return "1 file has gaps and cannot be planned:" + reasons;
  return fmt::format("{} files have gaps, none can be planned:{}", files.size(), reasons);
}

}  // namespace

std::string describe(const plan_outline& plan, bool verbose) {
  auto text = describe_summary(plan.summary, verbose);
  if (plan.delivered > 0)
    text += fmt::format(
        "the delivered tests of {} sources are kept, for what they test has not changed; --regenerate [GLOB] makes "
        "them "
        "anew\n",
        plan.delivered);
  return text;
}

std::string nothing_to_do(const plan_outline& plan) {
  if (plan.delivered > 0)
    return "Everything is delivered; there is nothing to do. To have delivered tests made anew: --regenerate [GLOB]";
  if (auto left_out = describe_unplannable(plan.summary); !left_out.empty()) return left_out;
  if (plan.summary.files + plan.summary.tests + plan.summary.skipped.size() > 0)
    return "No gaps were found; there is nothing to do.";
  return "No source file in a known language was found, of those that --include and --exclude let through; there is "
         "nothing to do.";
}

ordered_json plan_event(const plan_outline& plan) {
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

}  // namespace cohort::app
