// COST MONITOR: the budget behind a mailbox; keeps those waiting who may still be granted.
#pragma once

#include <deque>
#include <memory>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/money/budget.hpp"
#include "actors/run/run_context.hpp"

namespace cohort::actors {

class cost_monitor_state {
 public:
  static inline const char* name = "cost_monitor";

  void start(cost_monitor_actor::stateful_pointer<cost_monitor_state> self, budget money, progress_actor progress,
             std::optional<nano_dollars> warn_at);

  caf::typed_response_promise<funds_answer> ask(const funds_wanted& request);
  void settle(const settlement& x);

 private:
  struct waiting {
    funds_wanted request;
    caf::typed_response_promise<funds_answer> promise;
  };

  /// True if the request was answered.
  bool try_answer(waiting& entry, bool& run_blocked, std::deque<uint32_t>& blocked_batches);
  void answer_waiting();
  void warn(uint32_t batch);
  void publish();

  cost_monitor_actor::stateful_pointer<cost_monitor_state> self_ = nullptr;
  std::unique_ptr<budget> money_;
  progress_actor progress_;
  std::optional<nano_dollars> warn_at_;
  std::map<uint32_t, uint32_t> warned_percent_;
  std::deque<waiting> waiting_;
};

/// `warn_at`: a limit for each batch that is only warned about (at 50, 80 and 100 %), not kept.
cost_monitor_actor::behavior_type cost_monitor(cost_monitor_actor::stateful_pointer<cost_monitor_state> self,
                                               budget money, progress_actor progress,
                                               std::optional<nano_dollars> warn_at);

}  // namespace cohort::actors
