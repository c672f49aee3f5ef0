// Cuts tasks into batches, and says whether batches are worth while. A batch is a run of neighbours in the plan's
// order, so that it keeps to a part of the project.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/money.hpp"
#include "planning/sizing/planning_defaults.hpp"
#include "settings/setting_table.hpp"

namespace cohort::planning {

inline constexpr uint32_t least_batch_size = 1;  ///< Bounds of `--batch-size`.
inline constexpr uint32_t most_batch_size = settings::most_batch_size;

/// Tasks `first` to `first + count` of the plan; never empty.
struct batch_range {
  size_t first = 0;
  size_t count = 0;
  friend bool operator==(const batch_range&, const batch_range&) = default;
};

/// The weight of a task when sizes are chosen automatically.
struct task_weight {
  nano_dollars expected;    ///< Its estimate.
  uint32_t complexity = 1;  ///< 1 to 10; used if the model's price is unknown or zero.
};

/// Batches of `size` tasks, the last one with the rest. Fails with `ec::usage` unless `size` is 1 to 50.
[[nodiscard]] expected<std::vector<batch_range>> cut_batches(size_t tasks, uint32_t size);

/// Smart batch sizing: batches of similar expected cost. The number of batches is `auto_target_batches`, less if
/// that would leave under `auto_min_size` tasks for each, more if any would pass 50; a boundary is set where
/// the sum of the costs so far comes closest to its share of the total. Many cheap tasks make a long batch, a few
/// dear ones a short batch. Depends on nothing but its arguments.
[[nodiscard]] std::vector<batch_range> cut_batches_evenly(std::span<const task_weight> tasks,
                                                          const auto_batch_rule& rule);

/// Whether batching brings a benefit.
enum class batching_benefit : uint8_t {
  nothing_to_do,  ///< No task at all.
  none,           ///< All tasks fit one batch: suggest the command without batches.
  minimal,        ///< Less than two full batches: warn.
  recommended,
};

struct batching_verdict {
  batching_benefit benefit = batching_benefit::nothing_to_do;
  std::string message;  ///< For the user: what was found and what to do.
};

[[nodiscard]] batching_verdict advise_on_batching(size_t tasks, uint32_t batch_size);

}  // namespace cohort::planning
