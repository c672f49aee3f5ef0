// GATEWAY. Calls leave in order of arrival.

#include "actors/gateway.hpp"

#include <algorithm>

#include <caf/all.hpp>

namespace cohort {

namespace {

constexpr milliseconds longest_tick{1000};  // Limits may open earlier than they said: look at least this often.

gateway_result cancelled_before_sending() {
  gateway_result result;
  result.failure.code = ec::cancelled;
  result.failure.message = "the run stopped before the request was sent";
  result.failure.billed = billing::unbilled;
  return result;
}

milliseconds between(steady_time from, steady_time to) { return std::chrono::duration_cast<milliseconds>(to - from); }

}  // namespace

void gateway_state::start(gateway_actor::stateful_pointer<gateway_state> self, std::shared_ptr<provider> way,
                          progress_actor progress) {
  self_ = self;
  progress_ = std::move(progress);
  way_ = std::move(way);
}

steady_time gateway_state::now() const { return self_->clock().now(); }

caf::typed_response_promise<gateway_result> gateway_state::call(gateway_call& wish) {
  auto promise = self_->make_response_promise<gateway_result>();
  if (stopped_) {
    promise.deliver(cancelled_before_sending());
    return promise;
  }
  held_.push_back({std::move(wish), now(), promise});
  if (!tick_armed_) send_held();
  return promise;
}

void gateway_state::send_held() {
  while (!held_.empty()) {
    const auto at = now();
    const auto pause = way_->admit(at, held_.front().what.request);
    if (pause > milliseconds{0}) return tick_after(pause);
    auto call = std::move(held_.front());
    held_.pop_front();
    submit(call, at);
  }
}

void gateway_state::submit(held_call& call, steady_time at) {
  const auto id = ++last_id_;
  flying_.emplace(id, flying_call{between(call.since, at), at, call.promise});
  way_->submit(id, call.what.request, call.what.timeout,
               [id, home = caf::actor_cast<gateway_actor>(self_)](gateway_result result) {
                 caf::anon_send(home, call_ended{id, std::move(result)});
               });
}

void gateway_state::tick_after(milliseconds pause) {
  if (tick_armed_) return;
  tick_armed_ = true;
  self_->delayed_send(caf::actor_cast<gateway_actor>(self_), std::min(pause, longest_tick), gateway_tick{});
}

void gateway_state::on_tick() {
  tick_armed_ = false;
  send_held();
}

void gateway_state::on_ended(const call_ended& call) {
  const auto flying = flying_.find(call.id);
  if (flying == flying_.end()) return;
  auto result = call.result;
  result.held = flying->second.held;
  result.took = between(flying->second.sent, now());
  way_->settle(now(), call.id, result);
  result.systemic = !result.answered && way_->failing(now());
  tell_of_trouble(result);
  auto promise = flying->second.promise;
  flying_.erase(flying);
  promise.deliver(std::move(result));
  if (!stopped_) send_held();
}

void gateway_state::tell_of_trouble(const gateway_result& result) {
  if (result.systemic == trouble_told_) return;
  if (!result.systemic && !result.answered) return;
  trouble_told_ = result.systemic;
  run_event event;
  event.kind = result.systemic ? event_kind::warning : event_kind::notice;
  event.code = result.failure.code;
  event.text = result.systemic
                   ? "the provider is failing (" + result.failure.message + "); work is held until it recovers"
                   : std::string{"the provider answers again"};
  self_->send(progress_, std::move(event));
}

void gateway_state::on_recall() {
  for (auto& call : held_) call.promise.deliver(cancelled_before_sending());
  held_.clear();
}

void gateway_state::on_drain() {
  stopped_ = true;
  on_recall();
}

void gateway_state::on_stop() {
  on_drain();
  for (const auto& [id, call] : flying_) way_->cancel(id);
}

gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self, std::shared_ptr<provider> way,
                                     progress_actor progress) {
  self->state.start(self, std::move(way), std::move(progress));
  return {
      [self](gateway_call& wish) { return self->state.call(wish); },
      [self](const call_ended& call) { self->state.on_ended(call); },
      [self](const gateway_tick&) { self->state.on_tick(); },
      [self](const gateway_recall&) { self->state.on_recall(); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const stop_now&) { self->state.on_stop(); },
  };
}

}  // namespace cohort
