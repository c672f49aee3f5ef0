// WORKER. The task's time runs while a call is under way and while the worker waits to send again;
// it stands still while limiter or breaker hold the call.

#include "actors/slots/worker.hpp"

#include <algorithm>

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"

namespace cohort::actors {

void worker_state::start(worker_actor::stateful_pointer<worker_state> self, gateway_actor gateway, resend_rule rule) {
  self_ = self;
  gateway_ = std::move(gateway);
  rule_ = std::move(rule);
}

caf::typed_response_promise<work_report> worker_state::work(const work_order& order) {
  order_ = order;
  promise_ = self_->make_response_promise<work_report>();
  sends_ = 0;
  used_ = milliseconds{0};
  send();
  return promise_;
}

milliseconds worker_state::time_left() const { return std::max(milliseconds{1}, order_.timeout - used_); }

void worker_state::send() {
  ++sends_;
  self_->request(gateway_, caf::infinite, gateway_call{order_.request, time_left(), order_.may_fall_back})
      .then([this](gateway_result& result) { on_result(result); },
            [this](const caf::error& problem) {
              gateway_result lost;
              lost.failure.code = ec::worker_lost;
              lost.failure.message = from_caf(problem).message;
              lost.failure.billed = billing::unknown;
              lost.failure.retry = true;
              report(lost);
            });
}

void worker_state::on_result(gateway_result& result) {
  if (!result.systemic) used_ += result.took;
  const bool falls_back =
      order_.may_fall_back && !result.answered && result.systemic && result.failure.code == ec::overloaded;
  const bool may_resend =
      !falls_back && !result.answered && result.failure.billed == billing::unbilled && result.failure.retry;
  if (may_resend) {
    // While the provider as a whole fails, the gateway holds the call and its attempts are not counted: the
    // task is not to blame. The first pause of the rule is kept between them.
    if (result.systemic) sends_ = 1;
    const auto pause = rule_(sends_, result.systemic ? milliseconds{0} : used_, result.failure);
    if (result.systemic && pause) {
      rest(*pause);
      return;
    }
    if (pause && used_ + *pause < order_.timeout) {
      used_ += *pause;
      rest(*pause);
      return;
    }
  }
  report(result);
}

void worker_state::rest(milliseconds pause) {
  resting_ = true;
  self_->delayed_send(caf::actor_cast<worker_actor>(self_), pause, worker_wake{});
}

void worker_state::on_wake() {
  if (!resting_) return;
  resting_ = false;
  send();
}

void worker_state::on_drain() {
  if (!resting_) return;
  resting_ = false;
  gateway_result abandoned;
  abandoned.failure.code = ec::cancelled;
  abandoned.failure.message = "the run stopped before the request was sent again";
  abandoned.failure.billed = billing::unbilled;
  report(abandoned);
}

void worker_state::report(gateway_result& result) {
  work_report done;
  done.lease = order_.lease;
  done.task = order_.task;
  done.attempt = order_.attempt;
  done.answered = result.answered;
  done.answer = std::move(result.answer);
  done.failure = std::move(result.failure);
  done.sends = sends_;
  done.took = used_;
  order_ = {};
  promise_.deliver(std::move(done));
}

worker_actor::behavior_type worker(worker_actor::stateful_pointer<worker_state> self, gateway_actor gateway,
                                   resend_rule rule) {
  self->state.start(self, std::move(gateway), std::move(rule));
  return {
      [self](const work_order& order) { return self->state.work(order); },
      [self](const worker_wake&) { self->state.on_wake(); },
      [self](const drain&) { self->state.on_drain(); },
      [](const report_stored&) {},
  };
}

}  // namespace cohort::actors
