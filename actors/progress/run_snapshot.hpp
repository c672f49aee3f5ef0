// What a run looks like at one moment: events folded together. Values only.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/messages/nodes.hpp"
#include "messages/events.hpp"

namespace cohort::actors {

struct run_snapshot {
  uint32_t batches_total = 0;
  uint32_t batches_done = 0;  ///< With every task in a final state.
  uint32_t batches_open = 0;
  state_counts tasks;
  uint32_t in_flight = 0;
  uint32_t ended_now = 0;  ///< Tasks that got a final state since this start.
  uint32_t retries = 0;
  spending spent;
  nano_dollars reserved;
  nano_dollars estimated;  ///< Expected cost of the whole run.
  steady_time started;
  std::vector<node_view> nodes;  ///< Machines that joined in this start.
  bool over = false;

  /// Time left by the pace so far; negative if unknown.
  [[nodiscard]] milliseconds time_left(steady_time now) const;

  /// Folds one event in.
  void apply(const run_event& event);
};

/// Where a run stands before its first event.
[[nodiscard]] run_snapshot snapshot_of(const run_record& run, steady_time now);

/// Shows events to somebody. Called on PROGRESS's own thread, which may block.
class event_sink {
 public:
  event_sink() = default;
  event_sink(const event_sink&) = delete;
  event_sink& operator=(const event_sink&) = delete;
  virtual ~event_sink() = default;
  virtual void show(const run_event& event, const run_snapshot& now) = 0;
  /// Called a few times a second while nothing happens.
  virtual void refresh(const run_snapshot& now) = 0;
};

}  // namespace cohort::actors
