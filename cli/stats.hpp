// `--stats` and the tables that summarise a run or a plan.
#pragma once

#include <string>
#include <vector>

#include "messages/cluster.hpp"
#include "messages/ledger.hpp"
#include "state/ledger.hpp"

namespace cohort {

/// Nodes of a run at work, for the tables below; empty if there are none.
using node_list = std::vector<node_view>;

/// A task that needs the user's attention at the end.
struct attention {
  std::string label;
  task_state state = task_state::failed;
  ec code = ec::none;
  std::string reason;
};

/// What needs attention in a run.
struct attention_list {
  std::vector<attention> tasks;  ///< Failed, skipped and deferred ones.
  uint64_t missing_files = 0;    ///< Delivered, and not there any more.
  std::vector<std::string>
      beside;  ///< Results under another name, since a file that is not ours, or was changed, has theirs.
};

[[nodiscard]] expected<attention_list> needing_attention(const ledger& book, int64_t run);

/// A table for people.
[[nodiscard]] std::string run_table(const run_record& run, const attention_list& open, bool verbose);

/// The same as one JSON object.
[[nodiscard]] std::string run_json(const run_record& run, const attention_list& open, const node_list& nodes = {});

/// The same as one line, the last of `--json`: the event "summary".
[[nodiscard]] std::string summary_event(const run_record& run, const attention_list& open);

/// Batches with tasks and estimates, for a dry run.
[[nodiscard]] std::string plan_table(const std::vector<batch_record>& batches,
                                     const std::vector<std::vector<std::string>>& labels, bool verbose);

/// One batch with its tasks as a JSON report (`--output`).
[[nodiscard]] std::string batch_report_json(const run_record& run, uint32_t batch,
                                            const std::vector<task_record>& tasks,
                                            const std::vector<attempt_record>& attempts);

}  // namespace cohort
