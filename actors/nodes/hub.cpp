// HUB: sessions, orders, and the end. Reports are in hub_reports.cpp.

#include "actors/nodes/hub.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <caf/all.hpp>

#include "actors/nodes/remote_worker.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds hub_tick_interval{200};
constexpr milliseconds publish_interval{1000};
constexpr milliseconds farewell_time{3000};  // For nodes to hand over what they have, if the lease is shorter.
constexpr milliseconds short_farewell{500};  // For the farewell itself to get through.
constexpr milliseconds tell_waiting_after{1000};

}  // namespace

hub_state::~hub_state() {
  for (const auto& [session, link] : links_) caf::anon_send_exit(link.worker, caf::exit_reason::user_shutdown);
}

void hub_state::start(hub_service_actor::stateful_pointer<hub_state> self, hub_parts parts) {
  self_ = self;
  parts_ = std::move(parts);
  table_ = std::make_unique<node_table>(parts_.rules);
  // A node that is there finds its way back within the time after which it would be called lost.
  in_doubt_ = std::make_unique<in_doubt_attempts>(parts_.in_doubt, now() + parts_.rules.lease);
  for (const auto& one : parts_.in_doubt)
    if (one.open) abandoned_[one.holder].insert({one.task, one.attempt});
  self_->set_down_handler([this](caf::down_msg& down) { on_down(down.source, "its process or its connection ended"); });
  self_->delayed_send(caf::actor_cast<hub_service_actor>(self_), hub_tick_interval, hub_tick{});
}

steady_time hub_state::now() const { return self_->clock().now(); }

/// The entry of `session`, if it is its node that speaks: a session's name alone proves nothing.
node_entry* hub_state::speaker(const std::string& session) {
  auto* entry = table_->find(session);
  const auto link = links_.find(session);
  if (entry == nullptr || link == links_.end()) return nullptr;
  return caf::actor_cast<caf::actor_addr>(self_->current_sender()) == link->second.node.address() ? entry : nullptr;
}

std::optional<error> hub_state::objection(const node_call& call) {
  if (auto why = table_->objection(call.hello)) return why;
  const bool own_voice = call.node && caf::actor_cast<caf::actor_addr>(self_->current_sender()) == call.node.address();
  auto fault = own_voice ? fault_in(call.hello) : "it speaks for another";
  if (fault.empty() && refused_.contains(call.hello.node)) fault = "it broke the protocol before";
  if (fault.empty()) return std::nullopt;
  if (auto from = caf::actor_cast<caf::actor_addr>(self_->current_sender()); from && parts_.expel) parts_.expel(from);
  return error{ec::protocol_mismatch, fmt::format("a node was cut off: {}", fault)};
}

node_welcome hub_state::on_call(node_call& call) {
  node_welcome answer;
  answer.ledger_id = parts_.ledger_id;
  answer.lease = parts_.rules.lease;
  answer.run = parts_.run_name;
  auto why = objection(call);
  if (!why && closing_ && (!closed_.pending() || !brings_answers(call.hello)))
    why = error{ec::interrupted, "the run has ended"};
  if (why) {
    answer.code = why->code;
    answer.reason = why->message;
    log_warning("a node was not let in: {}", why->message);
    return answer;
  }
  make_showable(call.hello);
  if (const auto earlier = table_->earlier_session(call.hello))
    end_session(*earlier, node_status::lost, "it joined again");
  on_down(call.node.address(), "it joined again under another name");
  answer.accepted = true;
  admit(call);
  return answer;
}

void hub_state::admit(const node_call& call) {
  auto& entry = table_->join(call.hello, now());
  auto& link = links_[entry.session];
  link.node = call.node;
  link.worker = self_->spawn(remote_worker, caf::actor_cast<hub_service_actor>(self_), entry.session);
  self_->monitor(link.node);
  std::set<attempt_id> held;
  const auto ledger_id = veiled(parts_.ledger_id, call.hello.session);
  for (const auto& one : call.hello.held)
    if (one.run == parts_.run && one.ledger_id == ledger_id) held.insert({one.task, one.attempt});
  const auto reported = held.size();
  settle_unsent(entry, held);
  release(in_doubt_->came(entry.view.node, held));
  tell(event_kind::node_joined, entry.view,
       fmt::format("node {} joined with {} slots{}", entry.view.name, entry.view.slots,
                   reported == 0 ? "" : fmt::format("; it holds {} attempts", reported)));
  if (draining_)
    self_->send(link.node, node_recall{entry.session, "the run stops"});
  else if (!closing_)
    self_->send(parts_.pool, slots_joined{link.worker, placement(entry.view.node, entry.process_id),
                                          entry.view.slots - entry.earlier});
  publish();
}

bool hub_state::brings_answers(const node_hello& hello) const {
  const auto ledger_id = veiled(parts_.ledger_id, hello.session);
  return std::any_of(hello.held.begin(), hello.held.end(), [&](const auto& one) { return one.ledger_id == ledger_id; });
}

/// A process that still lives and does not hold an attempt has never sent it: it holds each from the order's arrival
/// until its report is acknowledged. So the reservation is given back. `held` gets these, as they are not to be
/// released before.
void hub_state::settle_unsent(node_entry& node, std::set<attempt_id>& held) {
  const auto given = abandoned_.find(placement(node.view.node, node.process_id));
  if (given == abandoned_.end()) return;
  for (const auto& id : given->second) {
    if (held.contains(id)) continue;
    remote_report unsent{parts_.ledger_id, parts_.run, {}};
    unsent.report.task = id.first;
    unsent.report.attempt = id.second;
    unsent.report.failure.code = ec::node_left;
    unsent.report.failure.message = "the order did not reach the node";
    unsent.report.failure.billed = billing::unbilled;
    held.insert(id);
    on_late(node, unsent);
  }
  abandoned_.erase(given);
}

void hub_state::on_down(const caf::actor_addr& gone, const std::string& why) {
  for (const auto& [session, link] : links_) {
    if (link.node.address() != gone) continue;
    end_session(std::string{session}, node_status::lost, why);
    return;
  }
}

void hub_state::end_session(const std::string& session, node_status how, const std::string& why) {
  auto* entry = table_->find(session);
  const auto link = links_.find(session);
  if (entry == nullptr || link == links_.end()) return;
  const auto orders = entry->orders.size();
  if (how == node_status::put_aside) entry->view.reason = why;
  if (orders != 0) {
    auto& abandoned = abandoned_[placement(entry->view.node, entry->process_id)];
    for (const auto& [id, order] : entry->orders) abandoned.insert(id);
  }
  const auto view = entry->view;
  self_->demonitor(link->second.node.address());
  // Its end is how the WORKER POOL learns that the slots are gone and what they held is lost.
  caf::anon_send_exit(link->second.worker, caf::exit_reason::user_shutdown);
  links_.erase(link);
  table_->end(session, how);
  release(in_doubt_->went(view.node, now()));
  if (how == node_status::put_aside)
    tell(event_kind::node_put_aside, view,
         fmt::format("node {} is put aside for the rest of the run, for it does not keep to the protocol: {}{}",
                     view.name, why,
                     orders == 0 ? "" : fmt::format("; its {} tasks go to others and stay charged", orders)),
         ec::worker_lost);
  else if (how == node_status::left)
    tell(event_kind::node_left, view, fmt::format("node {} left", view.name));
  else if (!closing_ || closed_.pending())
    tell(event_kind::node_lost, view,
         fmt::format("node {} is lost: {}{}", view.name, why,
                     orders == 0 ? "" : fmt::format("; {} tasks go to others", orders)),
         ec::worker_lost);
  publish();
  wait_for_last_answers();
}

void hub_state::on_order(const node_order& order) {
  auto* entry = table_->find(order.session);
  if (entry == nullptr) return;
  if (draining_)
    return give_back(order.session, order.order, ec::cancelled, "the run stopped before the request was sent");
  if (entry->view.status != node_status::joined)
    return give_back(order.session, order.order, ec::node_left, "the node takes no more work");
  remote_order remote;
  remote.run = parts_.run;
  remote.order = order.order;
  remote.prefix_text = std::move(remote.order.request.shared_prefix);
  remote.order.request.shared_prefix.clear();
  if (remote.prefix_text != prefix_text_ || prefix_ == digest{}) {
    prefix_text_ = remote.prefix_text;
    prefix_ = sha256(prefix_text_);
  }
  remote.prefix = prefix_;
  remote.with_prefix = entry->prefixes.insert(remote.prefix).second;
  if (!remote.with_prefix) remote.prefix_text.clear();
  entry->orders[{remote.order.task, remote.order.attempt}] = {remote.order.lease, remote.order.request.max_tokens};
  send_message(*entry, remote);
}

void hub_state::send_message(node_entry& node, const remote_order& order) {
  const auto& target = links_[node.session].node;
  for (auto& part : cut(node.session, ++node.last_message, message_kind::order, pack(order)))
    self_->send(target, std::move(part));
}

void hub_state::give_back(const std::string& session, const work_order& order, ec code, const std::string& why) {
  work_report unsent;
  unsent.lease = order.lease;
  unsent.task = order.task;
  unsent.attempt = order.attempt;
  unsent.failure.code = code;
  unsent.failure.message = why;
  unsent.failure.retry = code == ec::node_left;
  unsent.failure.billed = billing::unbilled;
  if (const auto link = links_.find(session); link != links_.end()) self_->send(link->second.worker, std::move(unsent));
}

void hub_state::on_pulse(node_pulse& pulse) {
  auto* entry = speaker(pulse.session);
  if (auto from = caf::actor_cast<node_actor>(self_->current_sender()))
    self_->send(from, hub_pulse{pulse.session, entry != nullptr});
  if (entry == nullptr) return;
  if (const auto fault = fault_in(pulse); !fault.empty()) return cut_off(*entry, fault);
  make_showable(pulse);
  table_->note_pulse(*entry, now(), wall_now());
  if (pulse.earlier < entry->earlier) {
    const auto freed = entry->earlier - pulse.earlier;
    entry->earlier = pulse.earlier;
    if (entry->view.status == node_status::joined && !draining_)
      self_->send(parts_.pool,
                  slots_joined{links_[pulse.session].worker, placement(entry->view.node, entry->process_id), freed});
  }
  if (table_->should_suspend(*entry, pulse, now()) && others_can_work(*entry)) put_aside(*entry, pulse.trouble, false);
}

void hub_state::put_aside(node_entry& node, const std::string& why, bool for_good) {
  node.view.status = node_status::put_aside;
  node.view.reason = why;
  node.for_good = for_good;
  node.aside_since = now();
  ++node.asides;
  const auto& link = links_[node.session];
  self_->send(parts_.pool, slots_retired{link.worker});
  self_->send(link.node, node_recall{node.session, why});
  tell(event_kind::node_put_aside, node.view,
       fmt::format("node {} is put aside: {}{}", node.view.name, why,
                   for_good ? ". Mend it and join again" : "; it is tried again later"));
  publish();
}

void hub_state::feed_again(node_entry& node) {
  node.view.status = node_status::joined;
  node.view.reason.clear();
  node.failures_in_row = 0;
  node.trouble_since.reset();
  self_->send(parts_.pool, slots_joined{links_[node.session].worker, placement(node.view.node, node.process_id),
                                        node.view.slots - node.earlier});
  log_info("node {} is tried again", node.view.name);
}

void hub_state::on_leaving(const node_leaving& node) {
  auto* entry = speaker(node.session);
  if (entry == nullptr) return;
  table_->note_pulse(*entry, now(), wall_now());
  if (entry->view.status != node_status::put_aside) entry->view.status = node_status::leaving;
  self_->send(parts_.pool, slots_retired{links_[node.session].worker});
  publish();
}

/// The node waits for this answer: what it said before has arrived, too.
void hub_state::on_gone(const node_gone& node) {
  if (auto from = caf::actor_cast<node_actor>(self_->current_sender()))
    self_->send(from, hub_pulse{node.session, false});
  if (speaker(node.session) != nullptr) end_session(node.session, node_status::left, {});
}

void hub_state::on_in_doubt(const tasks_in_doubt& request) {
  for (const auto& task : request.tasks) {
    switch (in_doubt_->of(task)) {
      case in_doubt_attempts::status::awaited: waiting_[task] = request.from; break;
      case in_doubt_attempts::status::answered: break;  // Its answer is on the way through the COORDINATOR.
      case in_doubt_attempts::status::free: self_->send(request.from, task_released{task}); break;
    }
  }
}

void hub_state::release(const std::vector<task_id>& tasks) {
  for (const auto& task : tasks) {
    const auto batch = waiting_.find(task);
    if (batch == waiting_.end()) continue;
    self_->send(batch->second, task_released{task});
    waiting_.erase(batch);
  }
}

void hub_state::on_tick() {
  for (const auto& session : table_->silent(now()))
    end_session(session, node_status::lost,
                fmt::format("it was silent for {} s", std::chrono::duration<double>{parts_.rules.lease}.count()));
  release(in_doubt_->at(now()));
  for (const auto& session : table_->due_again(now()))
    if (auto* entry = table_->find(session)) feed_again(*entry);
  if (closing_) say_farewell();
  give_up_if_nobody_works();
  wait_for_last_answers();
  if (now() - published_ >= publish_interval) publish();
  self_->delayed_send(caf::actor_cast<hub_service_actor>(self_), hub_tick_interval, hub_tick{});
}

/// Nodes that died may come back, and others may join: the run waits for them. Who was put aside for good will not work
/// in this run, so it ends with that reason when nobody else has come within a lease.
void hub_state::give_up_if_nobody_works() {
  const auto barred = table_->barred();
  const bool waits = closing_ || draining_ || parts_.context->settings.concurrent > 0 || table_->anybody_works();
  if (waits || barred.empty()) return nobody_since_.reset();
  if (!nobody_since_) nobody_since_ = now();
  if (now() - *nobody_since_ < parts_.rules.lease) return;
  self_->send(
      parts_.coordinator,
      stop_run{ec::worker_lost, fmt::format("no node is left that can work ({}); mend what is wrong and run the "
                                            "same command to continue",
                                            barred)});
  nobody_since_.reset();
}

void hub_state::on_drain() {
  draining_ = true;
  for (const auto& [session, link] : links_) self_->send(link.node, node_recall{session, "the run stops"});
}

void hub_state::on_stop_now() {
  on_drain();
  gives_up_ = true;
  for (const auto& session : table_->sessions()) {
    auto& orders = table_->find(session)->orders;
    for (const auto& [id, order] : orders) {
      work_report abandoned;
      abandoned.lease = order.lease;
      abandoned.task = id.first;
      abandoned.attempt = id.second;
      abandoned.failure.code = ec::cancelled;
      abandoned.failure.message = "the run stopped while a node waited for the answer";
      abandoned.failure.billed = billing::unknown;
      self_->send(links_[session].worker, std::move(abandoned));
    }
    orders.clear();
  }
  wait_for_last_answers();
}

caf::typed_response_promise<hub_closed> hub_state::on_close() {
  auto promise = self_->make_response_promise<hub_closed>();
  if (closing_) {
    promise.deliver(hub_closed{});
    return promise;
  }
  closing_ = now();
  closed_ = promise;
  say_farewell();
  wait_for_last_answers();
  return promise;
}

/// Nodes hand over what they hold, and go. One that has just come back is told once it has had its welcome.
void hub_state::say_farewell() {
  for (auto& [session, link] : links_) {
    if (link.reported_end) continue;
    link.reported_end = true;
    self_->send(link.node, hub_farewell{session});
  }
}

/// Paid answers that are on their way are taken in before the end, for as long as a silent node would be waited for.
void hub_state::wait_for_last_answers() {
  if (!closing_ || !closed_.pending()) return;
  const auto waited = now() - *closing_;
  const auto most = gives_up_ ? short_farewell : std::max(farewell_time, parts_.rules.lease);
  if (all_gone() || waited > most) {
    for (const auto& [session, link] : links_)
      if (const auto* node = table_->find(session); node != nullptr && !gives_up_)
        tell(event_kind::warning, node->view,
             fmt::format("node {} still waits for answers; it keeps them and hands them over to the next run here",
                         node->view.name));
    closed_.deliver(hub_closed{});
    return;
  }
  if (waited < tell_waiting_after || reported_waiting_ || gives_up_) return;
  reported_waiting_ = true;
  for (const auto& [session, link] : links_)
    if (const auto* node = table_->find(session))
      tell(event_kind::notice, node->view,
           fmt::format("node {} still has answers that are paid for; waiting up to {} s", node->view.name,
                       std::chrono::duration<double>{most}.count()));
}

void hub_state::tell(event_kind kind, const node_view& node, std::string text, ec code) {
  run_event event;
  event.kind = kind;
  event.node = node.name;
  event.text = std::move(text);
  event.code = code;
  self_->send(parts_.progress, std::move(event));
}

void hub_state::publish() {
  published_ = now();
  auto views = table_->views();
  if (!views.nodes.empty()) self_->send(parts_.progress, std::move(views));
}

hub_service_actor::behavior_type hub(hub_service_actor::stateful_pointer<hub_state> self, hub_parts parts) {
  self->state.start(self, std::move(parts));
  return {
      [self](node_call& call) { return self->state.on_call(call); },
      [self](const message_part& part) { self->state.on_part(part); },
      [self](node_pulse& pulse) { self->state.on_pulse(pulse); },
      [self](const node_leaving& node) { self->state.on_leaving(node); },
      [self](const node_gone& node) { self->state.on_gone(node); },
      [self](const node_order& order) { self->state.on_order(order); },
      [self](const node_report_stored& what) { self->state.on_stored(what); },
      [self](const tasks_in_doubt& request) { self->state.on_in_doubt(request); },
      [self](const hub_tick&) { self->state.on_tick(); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const stop_now&) { self->state.on_stop_now(); },
      [self](const hub_close&) { return self->state.on_close(); },
  };
}

}  // namespace cohort::actors
