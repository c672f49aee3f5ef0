// What is said of a run: a table for people, the event `summary`, the report of a batch.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "messages/run.hpp"
#include "state/ledger/ledger.hpp"
#include "state/run_lock.hpp"

namespace cohort::app {

/// A task that needs the user's attention at the end.
struct attention {
  std::string label;
  task_state state = task_state::failed;
  ec code = ec::none;
  std::string reason;
};

/// What needs attention in a run.
struct attention_list {
  std::vector<attention> tasks;              ///< Failed, skipped and deferred ones.
  uint64_t missing_files = 0;                ///< Delivered, and not there any more.
  std::vector<std::string> conflict_copies;  ///< Results under another name: a file of the user's has theirs.
  bool killed = false;                       ///< It ended without storing how.
};

[[nodiscard]] expected<attention_list> needing_attention(const state::ledger& ledger, int64_t run);

/// How tables for people are written.
struct table_style {
  bool verbose = false;       ///< Lists are whole.
  bool shows_batches = true;  ///< False: tables do not speak of them.
};

/// A table for people.
[[nodiscard]] std::string run_table(const run_record& run, const attention_list& open, const table_style& style);

/// The same as the event `summary`.
[[nodiscard]] nlohmann::ordered_json summary_event(const run_record& run, const attention_list& open);

/// An estimate in dollars.
[[nodiscard]] nlohmann::ordered_json estimate_json(const task_estimate& estimate);

/// Who is at work.
[[nodiscard]] nlohmann::ordered_json holder_json(const state::lock_holder& holder);

/// One batch with its tasks as a JSON report (`--output`).
[[nodiscard]] std::string batch_report_json(const run_record& run, uint32_t batch,
                                            const std::vector<task_record>& tasks,
                                            const std::vector<state::attempt_record>& attempts);

}  // namespace cohort::app
