// Compares what is spent, and the cheapest task that waits, with each limit.

#include "app/limits_check.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

namespace cohort::app {

namespace {

/// One limit, and what counts against it.
struct limit_case {
  const char* option;
  std::optional<nano_dollars> limit;
  nano_dollars spent;
  nano_dollars task;  ///< The cheapest one that waits.
  std::string where;  ///< " in batch 3", or empty.
};

expected<void> check_one(const limit_case& x) {
  if (!x.limit || x.spent + x.task <= *x.limit) return {};
  return fail(x.spent.count == 0 ? ec::limit_too_low : ec::limit_reached,
              fmt::format("{} {} lets no task run: {} is spent{}, and the cheapest waiting task may cost up to {}. "
                          "The least that works is {}",
                          x.option, exact_dollars(*x.limit), exact_dollars(x.spent), x.where, exact_dollars(x.task),
                          exact_dollars(x.spent + x.task)));
}

using cheapest_by_batch = std::map<uint32_t, nano_dollars>;

/// Of the tasks that wait.
expected<cheapest_by_batch> cheapest_tasks(const state::ledger& ledger, const run_record& run,
                                           const run_settings& settings) {
  // Where a batch's limit stops the run, nothing beyond the batch that is next is ever reached.
  const bool goes_on = settings.on_limit != limit_policy::stop;
  cheapest_by_batch cheapest;
  auto visited = ledger.for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state) || task.state == task_state::answered) return;
    if (!goes_on && task.batch != run.next_batch()) return;
    const auto known = cheapest.try_emplace(task.batch, task.spec.estimate.worst).first;
    known->second = std::min(known->second, task.spec.estimate.worst);
  });
  if (!visited) return tl::unexpected{visited.error()};
  return cheapest;
}

}  // namespace

expected<void> check_limits(const state::ledger& ledger, const run_record& run, const resolved_run& how) {
  const auto& settings = how.settings;
  const auto cheapest = cheapest_tasks(ledger, run, settings);
  if (!cheapest) return tl::unexpected{cheapest.error()};
  if (cheapest->empty()) return {};
  const auto of_run = std::min_element(cheapest->begin(), cheapest->end(),
                                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const auto spent = run.spent().total() + how.carried.total();
  if (auto fits = check_one({"--budget", settings.budget, spent, of_run->second, {}}); !fits) return fits;
  if (settings.on_limit == limit_policy::warn) return {};
  const auto spent_in = [&](uint32_t batch) { return run.batches[batch].spent.total(); };
  const auto of_batch = std::min_element(cheapest->begin(), cheapest->end(), [&](const auto& a, const auto& b) {
    return spent_in(a.first) + a.second < spent_in(b.first) + b.second;
  });
  return check_one({"--cost-limit", settings.cost_limit, spent_in(of_batch->first), of_batch->second,
                    fmt::format(" in batch {}", of_batch->first + 1)});
}

}  // namespace cohort::app
