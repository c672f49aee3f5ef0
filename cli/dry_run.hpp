// `--dry-run`: what would be done, and what it would cost. Writes nothing at all.
#pragma once

#include <optional>
#include <string>

#include "cli/command_context.hpp"

namespace cohort::cli {

/// Returns the process's exit code.
[[nodiscard]] int dry_run(const command_context& context, const std::optional<run_record>& stored);

/// A new plan before it is cut into batches, as a dry run and a run tell of it.
struct plan_outline {
  plan_summary summary;
  size_t tasks = 0;
  size_t delivered = 0;  ///< Delivered by an earlier run and unchanged: not in the plan.
  std::optional<planning::batching_verdict> verdict;
};

/// Whether batching `tasks` is worth while; nothing where that is not asked: in one go, with automatic sizes, and for
/// the small rest of a project of which tasks were `delivered` before.
[[nodiscard]] std::optional<planning::batching_verdict> verdict_on(const command_context& context,
                                                                   const run_settings& settings, size_t tasks,
                                                                   size_t delivered);

/// Why a plan without tasks has none.
[[nodiscard]] std::string nothing_to_do(const plan_outline& plan);

/// What a run says of its new plan: a few lines for people, or the event `plan`.
void tell_of(const command_context& context, const plan_outline& plan);

}  // namespace cohort::cli
