// GATEWAY. Calls leave in order of arrival.

#include "actors/slots/gateway.hpp"

#include <algorithm>

#include <caf/all.hpp>

namespace cohort::actors {

namespace {

constexpr milliseconds longest_tick{1000};  // Limits may open earlier than they said: look at least this often.

gateway_result cancelled_before_sending() {
  gateway_result result;
  result.failure.code = ec::cancelled;
  result.failure.message = "the run stopped before the request was sent";
  result.failure.billed = billing::unbilled;
  return result;
}

/// Instead of waiting for an overloaded model, where the caller has another one.
gateway_result turned_away(milliseconds retry_after, milliseconds held) {
  gateway_result result;
  result.failure.code = ec::overloaded;
  result.failure.message = "the model is overloaded; the request was not sent to it";
  result.failure.retry_after = retry_after;
  result.failure.retry = true;
  result.failure.billed = billing::unbilled;
  result.systemic = true;
  result.held = held;
  return result;
}

milliseconds between(steady_time from, steady_time to) { return std::chrono::duration_cast<milliseconds>(to - from); }

}  // namespace

void gateway_state::start(gateway_actor::stateful_pointer<gateway_state> self, std::shared_ptr<provider> provider,
                          progress_actor progress) {
  self_ = self;
  progress_ = std::move(progress);
  provider_ = std::move(provider);
}

steady_time gateway_state::now() const { return self_->clock().now(); }

caf::typed_response_promise<gateway_result> gateway_state::call(gateway_call& wanted) {
  auto promise = self_->make_response_promise<gateway_result>();
  if (stopped_) {
    promise.deliver(cancelled_before_sending());
    return promise;
  }
  auto& queue = held_[wanted.request.model];
  queue.push_back({std::move(wanted), now(), promise});
  if (queue.size() == 1 || !tick_armed_) send_held(queue);
  return promise;
}

void gateway_state::send_held() {
  for (auto& [_, queue] : held_) send_held(queue);
}

void gateway_state::send_held(std::deque<held_call>& queue) {
  while (!queue.empty()) {
    const auto at = now();
    auto& head = queue.front();
    const auto permit = provider_->admit(at, head.what.request);
    const bool turns_away =
        head.what.may_fall_back && provider_->failing(at, head.what.request.model) == ec::overloaded;
    const bool granted = permit.ticket != 0;
    if (!granted && !turns_away) return tick_after(permit.wait);
    auto call = std::move(head);
    queue.pop_front();
    if (granted)
      submit(permit.ticket, call, at);
    else
      call.promise.deliver(turned_away(permit.wait, between(call.since, at)));
  }
}

void gateway_state::submit(uint64_t id, held_call& call, steady_time at) {
  flying_.emplace(
      id, flying_call{call.what.request.model, call.what.may_fall_back, between(call.since, at), at, call.promise});
  provider_->submit(id, call.what.request, call.what.timeout,
                    [id, home = caf::actor_cast<gateway_actor>(self_)](gateway_result result) {
                      caf::anon_send(home, call_ended{id, std::move(result)});
                    });
}

void gateway_state::tick_after(milliseconds pause) {
  const auto length = std::min(pause, longest_tick);
  if (tick_armed_ && next_tick_ <= now() + length) return;
  tick_armed_ = true;
  next_tick_ = now() + length;
  self_->delayed_send(caf::actor_cast<gateway_actor>(self_), length, gateway_tick{});
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
  provider_->settle(now(), call.id, result);
  result.systemic = !result.answered && provider_->failing(now(), flying->second.model) != ec::none;
  tell_of_trouble(flying->second, result);
  auto promise = flying->second.promise;
  flying_.erase(flying);
  promise.deliver(std::move(result));
  if (!stopped_) send_held();
}

void gateway_state::tell_of_trouble(const flying_call& call, const gateway_result& result) {
  const bool reported = troubled_.contains(call.model);
  if (result.systemic == reported || (!result.systemic && !result.answered)) return;
  run_event event;
  event.code = result.failure.code;
  event.model = call.model;
  if (!result.systemic) {
    troubled_.erase(call.model);
    event.kind = event_kind::notice;
    event.text = call.model + " answers again";
  } else {
    troubled_.insert(call.model);
    event.kind = event_kind::warning;
    const bool replaced = call.may_fall_back && result.failure.code == ec::overloaded;
    event.text = call.model + " is failing (" + result.failure.message + "); " +
                 (replaced ? "tasks go on with another model until it recovers" : "work is held until it recovers");
  }
  self_->send(progress_, std::move(event));
}

void gateway_state::on_recall() {
  for (auto& [_, queue] : held_)
    for (auto& call : queue) call.promise.deliver(cancelled_before_sending());
  held_.clear();
}

void gateway_state::on_drain() {
  stopped_ = true;
  on_recall();
}

void gateway_state::on_stop() {
  on_drain();
  for (const auto& [id, call] : flying_) provider_->cancel(id);
}

gateway_actor::behavior_type gateway(gateway_actor::stateful_pointer<gateway_state> self,
                                     std::shared_ptr<provider> provider, progress_actor progress) {
  self->state.start(self, std::move(provider), std::move(progress));
  return {
      [self](gateway_call& wanted) { return self->state.call(wanted); },
      [self](const call_ended& call) { self->state.on_ended(call); },
      [self](const gateway_tick&) { self->state.on_tick(); },
      [self](const gateway_recall&) { self->state.on_recall(); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const stop_now&) { self->state.on_stop(); },
  };
}

}  // namespace cohort::actors
