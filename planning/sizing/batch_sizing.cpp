// Cuts the plan into batches. The sums are wide because costs saturate at their type's end.

#include "planning/sizing/batch_sizing.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cohort::planning {

namespace {

wide_integer weight_of(const task_weight& task, bool by_cost) noexcept {
  return by_cost ? std::max<int64_t>(task.expected.count, 1) : std::max<uint32_t>(task.complexity, 1);
}

size_t batches_wanted(size_t tasks, const auto_batch_rule& rule) noexcept {
  const size_t least = (tasks + most_batch_size - 1) / most_batch_size;
  const size_t filled = std::max<size_t>(tasks / std::max<uint32_t>(rule.auto_min_size, 1), 1);
  return std::max(least, std::min<size_t>(rule.auto_target_batches, filled));
}

/// The end of the batch that begins at `first`, when `left` batches (this one included) must take the rest:
/// at least one task, at most 50, and neither too few nor too many left for the others.
size_t end_of_batch(std::span<const wide_integer> sums, size_t first, size_t left) {
  const size_t tasks = sums.size() - 1;
  if (left == 1) return tasks;
  const size_t others = left - 1;
  const size_t most = std::min(first + most_batch_size, tasks - others);
  const size_t rest_fits = others * most_batch_size >= tasks ? 0 : tasks - others * most_batch_size;
  const size_t least = std::max(first + 1, rest_fits);
  const auto share = sums[first] + (sums[tasks] - sums[first]) / static_cast<wide_integer>(left);
  size_t end = least;
  while (end < most && sums[end] < share) ++end;
  if (end > least && sums[end] - share > share - sums[end - 1]) --end;
  return end;
}

}  // namespace

expected<std::vector<batch_range>> cut_batches(size_t tasks, uint32_t size) {
  if (size < least_batch_size || size > most_batch_size)
    return fail(ec::usage, fmt::format("a batch holds {} to {} tasks, not {}; choose another --batch-size",
                                       least_batch_size, most_batch_size, size));
  std::vector<batch_range> batches;
  for (size_t first = 0; first < tasks; first += size)
    batches.push_back({first, std::min<size_t>(size, tasks - first)});
  return batches;
}

std::vector<batch_range> cut_batches_evenly(std::span<const task_weight> tasks, const auto_batch_rule& rule) {
  std::vector<batch_range> batches;
  if (tasks.empty()) return batches;
  const bool by_cost = std::any_of(tasks.begin(), tasks.end(), [](const auto& t) { return t.expected.count > 0; });
  std::vector<wide_integer> sums{0};
  sums.reserve(tasks.size() + 1);
  for (const auto& task : tasks) sums.push_back(sums.back() + weight_of(task, by_cost));
  size_t first = 0;
  for (size_t left = batches_wanted(tasks.size(), rule); left > 0; --left) {
    const auto end = end_of_batch(sums, first, left);
    batches.push_back({first, end - first});
    first = end;
  }
  return batches;
}

batching_verdict advise_on_batching(size_t tasks, uint32_t batch_size) {
  const size_t size = std::max<uint32_t>(batch_size, 1);
  if (tasks == 0) return {batching_benefit::nothing_to_do, "Nothing to do: no file lacks tests."};
  const auto noun = tasks == 1 ? "task" : "tasks";
  if (tasks <= size)
    return {batching_benefit::none,
            fmt::format("{} {} fit one batch of {}: `generate-logical` is enough, batching brings nothing. Use it, "
                        "choose a smaller --batch-size, or add --force.",
                        tasks, noun, size)};
  const auto batches = (tasks + size - 1) / size;
  if (tasks < 2 * size)
    return {batching_benefit::minimal,
            fmt::format("{} tasks are less than two full batches of {}: batching brings little here. A smaller "
                        "--batch-size or `generate-logical` may suit better.",
                        tasks, size)};
  return {batching_benefit::recommended,
          fmt::format("{} tasks in {} batches of up to {}: batching is recommended.", tasks, batches, size)};
}

}  // namespace cohort::planning
