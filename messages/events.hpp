// What happens in a run, as PROGRESS, the log and `--json` show it.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "messages/run.hpp"

namespace cohort::inline messages {

enum class event_kind : uint8_t {
  run_started,
  batch_started,
  task_started,
  task_retried,
  task_ended,
  batch_ended,
  spent,  ///< Money changed.
  warning,
  notice,
  run_ended,
  node_joined,
  node_left,
  node_lost,
  node_put_aside,
};

[[nodiscard]] std::string_view name(event_kind kind) noexcept;

/// One event. Fields that a kind does not name are empty.
struct run_event {
  event_kind kind = event_kind::notice;
  uint32_t batch = 0;  ///< Index from 0; of batch and task events.
  std::string label;   ///< The task, for people.
  task_id task;
  task_state state = task_state::planned;
  task_state before = task_state::planned;  ///< Of task_ended: the state it was counted in until now.
  ec code = ec::none;
  std::string text;  ///< Reason, warning, path of a delivered file.
  uint32_t attempt = 0;
  std::string model;
  nano_dollars cost;      ///< Of this task's attempt.
  state_counts counts;    ///< Of the batch (batch events) or run (run events).
  spending spent;         ///< Of the run.
  nano_dollars reserved;  ///< Of the run.
  std::string node;       ///< Name of the node, of node events.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_event& x) {
  return f(x.kind, x.batch, x.label, x.task, x.state, x.before, x.code, x.text, x.attempt, x.model, x.cost.count,
           x.counts, x.spent, x.reserved.count, x.node);
}

/// How a run ended, for the caller of the COORDINATOR.
struct run_outcome {
  run_status status = run_status::finished;
  ec code = ec::none;
  std::string message;  ///< What to do now, if anything.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_outcome& x) {
  return f(x.status, x.code, x.message);
}

}  // namespace cohort::inline messages
