// Folding.

#include "actors/progress/run_snapshot.hpp"

namespace cohort::actors {

run_snapshot snapshot_of(const run_record& run, steady_time now) {
  run_snapshot first;
  first.batches_total = static_cast<uint32_t>(run.batches.size());
  first.batches_done = run.completed_batches();
  first.tasks = run.tasks();
  first.spent = run.spent();
  first.estimated = run.estimate().expected;
  first.started = now;
  return first;
}

milliseconds run_snapshot::time_left(steady_time now) const {
  const auto left = tasks.total() - tasks.final();
  if (left == 0) return milliseconds{0};
  if (ended_now == 0) return milliseconds{-1};
  return std::chrono::duration_cast<milliseconds>(now - started) * left / ended_now;
}

void run_snapshot::apply(const run_event& event) {
  switch (event.kind) {
    case event_kind::task_started: ++in_flight; return;
    case event_kind::task_retried:
      ++retries;
      if (in_flight > 0) --in_flight;
      return;
    case event_kind::task_ended: {
      const bool was_sent =
          event.attempt > 0 && event.state != task_state::deferred && event.before != task_state::answered;
      if (was_sent && in_flight > 0) --in_flight;
      if (tasks.of(event.before) > 0) --tasks.of(event.before);
      ++tasks.of(event.state);
      if (is_final(event.state)) ++ended_now;
      return;
    }
    case event_kind::batch_started: ++batches_open; return;
    case event_kind::batch_ended:
      if (batches_open > 0) --batches_open;
      if (event.counts.final() == event.counts.total() && batches_done < batches_total) ++batches_done;
      return;
    case event_kind::spent:
      if (event.spent.total() > nano_dollars{}) {
        spent = event.spent;
        reserved = event.reserved;
      }
      return;
    case event_kind::run_ended:
      over = true;
      if (event.counts.total() != 0) tasks = event.counts;
      return;
    case event_kind::run_started:
    case event_kind::node_joined:
    case event_kind::node_left:
    case event_kind::node_lost:
    case event_kind::node_put_aside:
    case event_kind::warning:
    case event_kind::notice: return;
  }
}

}  // namespace cohort::actors
