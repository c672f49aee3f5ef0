// PROGRESS: nothing but a view. Runs on a thread of its own, because a terminal may block.
#pragma once

#include <memory>

#include "actors/interfaces.hpp"
#include "actors/progress/run_snapshot.hpp"

namespace cohort::actors {

class progress_state {
 public:
  static inline const char* name = "progress";
  void start(progress_actor::stateful_pointer<progress_state> self, run_snapshot first,
             std::shared_ptr<event_sink> sink);
  void on_event(const run_event& event);
  void on_nodes(const nodes_seen& seen);
  void on_refresh();

 private:
  void rest();

  progress_actor::stateful_pointer<progress_state> self_ = nullptr;
  run_snapshot now_;
  std::shared_ptr<event_sink> sink_;
};

progress_actor::behavior_type progress(progress_actor::stateful_pointer<progress_state> self, run_snapshot first,
                                       std::shared_ptr<event_sink> sink);

}  // namespace cohort::actors
