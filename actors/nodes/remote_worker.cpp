// REMOTE WORKER.

#include "actors/nodes/remote_worker.hpp"

#include <caf/all.hpp>

namespace cohort::actors {

void remote_worker_state::start(remote_worker_actor::stateful_pointer<remote_worker_state> self, hub_service_actor hub,
                                std::string session) {
  self_ = self;
  hub_ = std::move(hub);
  session_ = std::move(session);
}

caf::typed_response_promise<work_report> remote_worker_state::work(const work_order& order) {
  auto promise = self_->make_response_promise<work_report>();
  waiting_[{order.task, order.attempt}] = promise;
  self_->send(hub_, node_order{session_, order});
  return promise;
}

void remote_worker_state::on_report(work_report& report) {
  const auto waiting = waiting_.find({report.task, report.attempt});
  if (waiting == waiting_.end()) return;
  auto promise = waiting->second;
  waiting_.erase(waiting);
  promise.deliver(std::move(report));
}

void remote_worker_state::on_stored(const report_stored& what) {
  self_->send(hub_, node_report_stored{session_, what});
}

remote_worker_actor::behavior_type remote_worker(remote_worker_actor::stateful_pointer<remote_worker_state> self,
                                                 hub_service_actor hub, std::string session) {
  self->state.start(self, std::move(hub), std::move(session));
  return {
      [self](const work_order& order) { return self->state.work(order); },
      [](const worker_wake&) {},
      [](const drain&) {},  // The HUB hears of it by itself and calls back what its nodes have not sent.
      [self](const report_stored& what) { self->state.on_stored(what); },
      [self](work_report& report) { self->state.on_report(report); },
  };
}

}  // namespace cohort::actors
