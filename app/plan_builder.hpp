// Builds the plan of a run: which tasks, in which batches. One builder for runs and dry runs; what becomes of the tasks
// is the sink's to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/project_plan.hpp"
#include "app/resolve_run.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::app {

/// Where the tasks of a plan go.
class plan_sink {
 public:
  plan_sink() = default;
  plan_sink(const plan_sink&) = delete;
  plan_sink& operator=(const plan_sink&) = delete;
  virtual ~plan_sink() = default;
  /// True if an earlier run delivered the task: it is not planned again.
  [[nodiscard]] virtual expected<bool> was_delivered(const task_id& task) = 0;
  /// The next task of the plan. An error ends the planning.
  [[nodiscard]] virtual expected<void> take(task_spec&& task) = 0;
};

/// What a plan came to.
struct plan_outline {
  plan_summary summary;
  size_t tasks = 0;
  size_t delivered = 0;  ///< Sources and tasks that an earlier run delivered, unchanged: not in the plan.
  std::optional<planning::batching_verdict> verdict;
};

struct built_plan {
  plan_outline outline;
  std::vector<planning::batch_range> batches;  ///< Of the tasks, in the order in which the sink took them.
};

/// What is planned for, besides the project itself.
struct plan_terms {
  plan_request request;
  planning::auto_batch_rule auto_batches;
  bool batched = true;  ///< False: nobody asks whether batching is worth while.
};

[[nodiscard]] plan_terms terms_of(const project_context& context, const run_settings& settings, const model_info& model,
                                  bool write_cache);

[[nodiscard]] expected<built_plan> build_plan(const plan_terms& terms, notices& out, plan_sink& sink);

/// Whether batching `tasks` is worth while; nothing where that is not asked: in one go, with automatic sizes (0), and
/// for the small rest of a project of which tasks were `delivered` before.
[[nodiscard]] std::optional<planning::batching_verdict> verdict_on(bool batched, uint32_t batch_size, size_t tasks,
                                                                   size_t delivered);

/// A batch and the sources of its tasks, as a dry run shows it.
struct planned_batch {
  uint32_t index = 0;
  task_estimate estimate;
  std::vector<std::string> sources;
};

struct dry_plan {
  plan_outline outline;
  std::vector<planned_batch> batches;
};

/// A new plan, of which nothing is written.
[[nodiscard]] expected<dry_plan> plan_without_writing(const project_context& context, const resolved_run& wanted,
                                                      notices& out);

/// The waiting tasks of a run that is not finished, by batch.
[[nodiscard]] expected<std::vector<planned_batch>> what_is_left(const project_context& context, const run_record& run,
                                                                notices& out);

void add(task_estimate& sum, const task_estimate& more) noexcept;

}  // namespace cohort::app
