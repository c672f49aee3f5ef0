// REMOTE WORKER: stands for all slots of one joined node, so that BATCH and WORKER POOL need not know where a slot is.
// It routes: orders go to the HUB, reports come back from it. When the node is lost the HUB ends it, and the pool does
// the rest, as for any worker that dies.
#pragma once

#include <map>
#include <string>
#include <utility>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"

namespace cohort::actors {

class remote_worker_state {
 public:
  static inline const char* name = "remote_worker";

  void start(remote_worker_actor::stateful_pointer<remote_worker_state> self, hub_service_actor hub,
             std::string session);
  caf::typed_response_promise<work_report> work(const work_order& order);
  void on_report(work_report& report);
  void on_stored(const report_stored& what);

 private:
  remote_worker_actor::stateful_pointer<remote_worker_state> self_ = nullptr;
  hub_service_actor hub_;
  std::string session_;
  std::map<std::pair<task_id, uint32_t>, caf::typed_response_promise<work_report>> waiting_;
};

remote_worker_actor::behavior_type remote_worker(remote_worker_actor::stateful_pointer<remote_worker_state> self,
                                                 hub_service_actor hub, std::string session);

}  // namespace cohort::actors
