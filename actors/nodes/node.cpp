// NODE.

#include "actors/nodes/node.hpp"

#include <algorithm>
#include <random>

#include <fmt/format.h>
#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "actors/nodes/node_table.hpp"
#include "base/text.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds node_tick_interval{100};
constexpr milliseconds longest_pulse{1000};
constexpr milliseconds first_backoff{250};
constexpr milliseconds longest_backoff{5000};
constexpr milliseconds hello_time{10'000};
constexpr milliseconds goodbye_time{1000};  // For the HUB to hear that the node has gone.
constexpr uint32_t most_reported = 100;     // Recalls that people are told of.
constexpr size_t most_prefixes = 64;
constexpr size_t most_prefix_bytes = 128U << 20;
constexpr uint32_t most_refusals = 1000;  // In a row, beyond the slots.
constexpr uint32_t outbox_window = 16;    // Unacknowledged reports beyond the slots: a returned node does not flood.

milliseconds with_jitter(milliseconds pause) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return milliseconds{std::uniform_int_distribution<int64_t>{pause.count() / 2, pause.count()}(random)};
}

/// Stands for what a provider said that no coordinator would take.
work_report unreadable(const work_report& report) {
  work_report doubtful;
  doubtful.lease = report.lease;
  doubtful.task = report.task;
  doubtful.attempt = report.attempt;
  doubtful.failure.code = ec::malformed_answer;
  doubtful.failure.message = "the provider's answer is longer than it can be, or otherwise cannot be true";
  doubtful.failure.billed = billing::unknown;
  return doubtful;
}

}  // namespace

node_state::~node_state() {
  for (const auto& [key, flight] : flights_) caf::anon_send_exit(flight.worker, caf::exit_reason::user_shutdown);
}

void node_state::start(node_service_actor::stateful_pointer<node_state> self, node_parts parts) {
  self_ = self;
  parts_ = std::move(parts);
  for (auto& report : parts_.kept) {
    const attempt_key key{report.ledger_id, report.run, report.report.task, report.report.attempt};
    outbox_[key] = {std::move(report), true, false};
  }
  parts_.kept.clear();
  self_->set_down_handler([this](caf::down_msg& down) {
    if (!hub_ || down.source != hub_.address()) return;
    if (phase_ == phase::ended) return end();
    lose_hub("the connection ended");
  });
}

steady_time node_state::now() const { return self_->clock().now(); }

caf::typed_response_promise<node_outcome> node_state::on_start() {
  done_ = self_->make_response_promise<node_outcome>();
  away_since_ = now();
  dial();
  self_->delayed_send(caf::actor_cast<node_service_actor>(self_), node_tick_interval, node_tick{});
  return done_;
}

void node_state::dial() {
  phase_ = phase::dialing;
  ++dials_;
  self_->request(parts_.dialer, caf::infinite, dial_options{})
      .then([this](const dialed& answer) { on_dialed(answer); },
            [this](const caf::error& problem) { try_later(from_caf(problem).message); });
}

void node_state::on_dialed(const dialed& answer) {
  if (phase_ != phase::dialing) return;
  if (answer.code == ec::connect_failed) return try_later(answer.message);
  if (answer.code != ec::none) return finish(answer.code, answer.message);
  hub_ = answer.hub;
  self_->monitor(hub_);
  say_hello();
}

void node_state::say_hello() {
  session_ = random_hex(16);
  prefixes_.clear();
  parts_in_ = {};
  last_message_ = 0;
  node_call call;
  call.node = caf::actor_cast<node_actor>(self_);
  call.hello.session = session_;
  call.hello.node = parts_.node;
  call.hello.process_id = process_id_;
  call.hello.name = parts_.name;
  call.hello.slots = parts_.slots;
  call.hello.busy = static_cast<uint32_t>(flights_.size());
  const auto add = [&](const attempt_key& key) {
    if (call.hello.held.size() >= most_held) return;
    call.hello.held.push_back(
        {veiled(std::get<0>(key), session_), std::get<1>(key), std::get<2>(key), std::get<3>(key)});
  };
  for (const auto& [key, flight] : flights_) add(key);
  for (const auto& [key, report] : outbox_) add(key);
  self_->request(hub_, hello_time, std::move(call))
      .then(
          [this, session = session_](node_welcome& welcome) {
            if (session == session_ && phase_ == phase::dialing) on_welcome(welcome);
          },
          [this, session = session_](const caf::error& problem) {
            if (session == session_ && phase_ == phase::dialing)
              try_later("it did not answer: " + from_caf(problem).message);
          });
}

void node_state::on_welcome(node_welcome& welcome) {
  if (const auto fault = fault_in(welcome); !fault.empty()) return distrust(fault);
  make_showable(welcome);
  if (!welcome.accepted) {
    if (welcome.code == ec::conflict) return try_later(welcome.reason);
    if (welcome.code == ec::interrupted) return finish(ec::none, welcome.reason);  // The run is over.
    return finish(welcome.code == ec::none ? ec::protocol_mismatch : welcome.code, welcome.reason);
  }
  phase_ = phase::joined;
  ledger_id_ = welcome.ledger_id;
  lease_ = std::max(welcome.lease, milliseconds{100});
  last_heard_ = pulsed_ = now();
  dials_ = 0;
  reported_why_.clear();
  not_wanted_.clear();
  tell(event_kind::notice, fmt::format("joined run {} with {} slots", welcome.run, parts_.slots));
  if (leaving_) self_->send(hub_, node_leaving{session_});
  pump_outbox();
  finish_if_done();
}

void node_state::lose_hub(const std::string& why) {
  if (hub_) self_->demonitor(hub_.address());
  hub_ = hub_actor{};
  session_.clear();
  for (auto& [key, report] : outbox_) report.sent = false;
  if (phase_ == phase::ended) return;
  if (phase_ == phase::joined) away_since_ = now();
  try_later(why);
}

void node_state::try_later(const std::string& why) {
  if (phase_ == phase::ended) return;
  if (hub_) self_->demonitor(hub_.address());
  hub_ = hub_actor{};
  session_.clear();
  phase_ = phase::away;
  if (why != reported_why_) tell(event_kind::warning, why + (leaving_ || run_over_ ? "" : "; trying again"));
  reported_why_ = why;
  const auto longest = std::min(longest_backoff, std::max(first_backoff, lease_ / 4));
  const auto pause = std::min(longest, first_backoff * (1 << std::min(dials_, 6u)));
  dial_at_ = now() + with_jitter(pause);
  finish_if_done();
}

void node_state::on_tick() {
  if (phase_ == phase::ended) {
    if (now() >= end_by_) return end();
    self_->delayed_send(caf::actor_cast<node_service_actor>(self_), node_tick_interval, node_tick{});
    return;
  }
  const auto at = now();
  if (phase_ == phase::joined && at - pulsed_ >= pulse_interval()) {
    pulsed_ = at;
    self_->send(hub_,
                node_pulse{session_, static_cast<uint32_t>(flights_.size()), earlier(), parts_.provider->failure()});
  }
  if (phase_ == phase::joined && at - last_heard_ > lease_)
    lose_hub(fmt::format("the coordinator was silent for {} s", std::chrono::duration<double>{lease_}.count()));
  if (phase_ == phase::away && !leaving_ && !run_over_ && at >= dial_at_) {
    if (at - away_since_ <= parts_.rejoin_for)
      dial();
    else if (flights_.empty())
      return finish(ec::connect_failed,
                    fmt::format("gave up after {} s: {}", parts_.rejoin_for.count() / 1000, reported_why_));
  }
  if (leave_by_ && at >= *leave_by_ && flights_.empty())
    return finish(breach_.empty() ? ec::none : ec::protocol_mismatch, breach_);
  show();
  self_->delayed_send(caf::actor_cast<node_service_actor>(self_), node_tick_interval, node_tick{});
}

milliseconds node_state::pulse_interval() const { return std::min(longest_pulse, lease_ / 6); }

void node_state::on_hub_pulse(const hub_pulse& pulse) {
  if (phase_ == phase::ended && pulse.session == session_ && !pulse.known) return end();
  if (phase_ != phase::joined || pulse.session != session_) return;
  last_heard_ = now();
  if (!pulse.known) lose_hub("the coordinator had taken this node for lost");
}

void node_state::on_part(const message_part& part) {
  if (phase_ != phase::joined || part.session != session_) return;
  last_heard_ = now();
  if (const auto fault = fault_in(part, message_kind::order); !fault.empty()) return distrust(fault);
  const auto whole = parts_in_.add(part);
  if (parts_in_.broken()) return distrust("the parts of what it sends do not belong together");
  if (!whole) return;
  auto order = unpack_order(*whole);
  if (!order) return distrust("it sent something that is no order");
  if (const auto fault = fault_in(*order); !fault.empty()) return distrust(fault);
  take(*order);
}

/// A coordinator that this machine's user may not own: nothing more is taken from it, and what was not sent yet is not
/// sent. Answers that are under way are kept.
void node_state::distrust(const std::string& why) {
  breach_ = fmt::format("the coordinator does not keep to the protocol: {}", why);
  tell(event_kind::warning, breach_);
  leaving_ = true;
  call_back_unsent();
  lose_hub(breach_);
}

/// False if the coordinator wants more of it remembered than a run has.
bool node_state::remember_prefix(remote_order& order) {
  if (!order.with_prefix) return true;
  size_t bytes = order.prefix_text.size();
  for (const auto& [digest, text] : prefixes_) bytes += text.size();
  if (prefixes_.size() >= most_prefixes || bytes > most_prefix_bytes) return false;
  prefixes_[order.prefix] = std::move(order.prefix_text);
  return true;
}

void node_state::take(remote_order& order) {
  if (!remember_prefix(order)) return distrust("it sends too many different instructions");
  const attempt_key key{ledger_id_, order.run, order.order.task, order.order.attempt};
  if (outbox_.contains(key) || flights_.contains(key)) return;  // It is known here, and reported.
  const auto prefix = prefixes_.find(order.prefix);
  if (leaving_ || run_over_) return refuse(order, "the node takes no more work");
  if (prefix == prefixes_.end() || flights_.size() >= parts_.slots) {
    if (++refusals_ > parts_.slots + most_refusals) return distrust("it sends more orders than there are slots");
    return refuse(order, "the node has no room for it");
  }
  refusals_ = 0;
  order.order.request.shared_prefix = prefix->second;
  auto worker = self_->spawn(cohort::actors::worker, parts_.gateway, parts_.resend);
  flights_[key] = {worker, session_, order.order.request.max_tokens};
  self_->request(worker, caf::infinite, std::move(order.order))
      .then([this, key](work_report& report) { on_done(key, report); },
            [this, key, lease = order.order.lease](const caf::error& problem) {
              work_report lost;
              lost.lease = lease;
              lost.task = std::get<2>(key);
              lost.attempt = std::get<3>(key);
              lost.failure.code = ec::worker_lost;
              lost.failure.message = from_caf(problem).message;
              on_done(key, lost);
            });
}

void node_state::refuse(const remote_order& order, const std::string& why) {
  remote_report unsent{ledger_id_, order.run, {}};
  unsent.report.lease = order.order.lease;
  unsent.report.task = order.order.task;
  unsent.report.attempt = order.order.attempt;
  unsent.report.failure.code = ec::node_left;
  unsent.report.failure.message = why;
  unsent.report.failure.retry = true;
  unsent.report.failure.billed = billing::unbilled;
  const attempt_key key{ledger_id_, order.run, order.order.task, order.order.attempt};
  outbox_[key] = {std::move(unsent), true, false};
  pump_outbox();
}

void node_state::on_done(const attempt_key& key, work_report& report) {
  const auto flight = flights_.find(key);
  if (flight == flights_.end()) return;
  caf::anon_send_exit(flight->second.worker, caf::exit_reason::user_shutdown);
  const order_terms terms{0, flight->second.max_tokens};
  flights_.erase(flight);
  if (report.answered && report.answer.text.size() > longest_text(terms)) report = unreadable(report);
  ++(report.answered ? answers_ : failures_);
  if (!report.answered && report.failure.code == ec::cancelled && report.failure.billed == billing::unbilled) {
    report.failure.code = ec::node_left;  // Called back before it was sent: another machine may have it.
    report.failure.retry = true;
  }
  auto& entry = outbox_[key];
  entry = {{std::get<0>(key), std::get<1>(key), std::move(report)}, false, false};
  make_showable(entry.report);
  if (!fault_in(entry.report).empty()) entry.report.report = unreadable(entry.report.report);
  if (!entry.report.report.answered) return hand_over(key);
  self_->request(parts_.spool_writer, caf::infinite, spool_report{entry.report})
      .then([this, key](const recorded&) { hand_over(key); },
            [this, key](const caf::error& problem) {
              tell(event_kind::warning,
                   "an answer could not be kept on this machine's disk: " + from_caf(problem).message);
              hand_over(key);
            });
}

void node_state::hand_over(const attempt_key& key) {
  const auto entry = outbox_.find(key);
  if (entry == outbox_.end()) return;
  entry->second.safe = true;
  pump_outbox();
  finish_if_done();
}

void node_state::pump_outbox() {
  if (phase_ != phase::joined) return;
  size_t under_way = 0;
  for (const auto& [key, entry] : outbox_) under_way += entry.sent ? 1 : 0;
  for (auto& [key, entry] : outbox_) {
    if (under_way >= parts_.slots + outbox_window) return;
    if (!entry.safe || entry.sent || std::get<0>(key) != ledger_id_ || not_wanted_.contains(key)) continue;
    entry.sent = true;
    ++under_way;
    send_message(entry.report);
  }
}

void node_state::send_message(const remote_report& report) {
  for (auto& part : cut(session_, ++last_message_, message_kind::report, pack(report)))
    self_->send(hub_, std::move(part));
}

void node_state::on_kept(const report_kept& kept) {
  if (kept.session != session_ || kept.ledger_id != ledger_id_) return;
  last_heard_ = now();
  const attempt_key key{kept.ledger_id, kept.run, kept.task, kept.attempt};
  const auto entry = outbox_.find(key);
  if (entry == outbox_.end() || !entry->second.sent) return;
  if (!kept.taken) {
    entry->second.sent = false;
    not_wanted_.insert(key);
  } else {
    if (entry->second.report.report.answered)
      self_->send(parts_.spool_writer, unspool_report{{kept.ledger_id, kept.run, kept.task, kept.attempt}});
    outbox_.erase(entry);
  }
  pump_outbox();
  finish_if_done();
}

void node_state::call_back_unsent() {
  self_->send(parts_.gateway, gateway_recall{});
  for (const auto& [key, flight] : flights_) self_->send(flight.worker, drain{});
}

void node_state::on_recall(const node_recall& recall) {
  if (recall.session != session_) return;
  if (++recalls_ <= most_reported)
    tell(event_kind::notice, "what was not sent yet goes back to the coordinator: " + printable(recall.reason, 300));
  call_back_unsent();
}

void node_state::on_farewell(const hub_farewell& farewell) {
  if (farewell.session != session_) return;
  if (!run_over_) tell(event_kind::notice, "the run has ended");
  run_over_ = true;
  call_back_unsent();
  pump_outbox();
  finish_if_done();
}

void node_state::on_drain() {
  if (leaving_ || phase_ == phase::ended) return;
  leaving_ = true;
  tell(event_kind::notice, "leaving: nothing more is taken; what is in flight is finished and handed over");
  if (phase_ == phase::joined) self_->send(hub_, node_leaving{session_});
  call_back_unsent();
  finish_if_done();
}

void node_state::on_stop_now() {
  self_->send(parts_.gateway, stop_now{});
  finish(ec::none, "stopped; what was in flight stays charged as unconfirmed");
  end();
}

void node_state::finish_if_done() {
  if (!(leaving_ || run_over_) || phase_ == phase::ended || !flights_.empty()) return;
  const bool all_safe = std::all_of(outbox_.begin(), outbox_.end(), [](const auto& x) { return x.second.safe; });
  if (!all_safe) return;
  if (phase_ == phase::joined && owes_hub()) {
    if (!leave_by_) leave_by_ = now() + 2 * lease_;
    return;
  }
  finish(breach_.empty() ? ec::none : ec::protocol_mismatch, breach_);
}

/// Something in the outbox is for the HUB that the node has joined.
bool node_state::owes_hub() const {
  return std::any_of(outbox_.begin(), outbox_.end(), [this](const auto& entry) {
    return std::get<0>(entry.first) == ledger_id_ && !not_wanted_.contains(entry.first);
  });
}

void node_state::finish(ec code, std::string message) {
  if (phase_ == phase::ended) return;
  const bool joined = phase_ == phase::joined;
  phase_ = phase::ended;
  ending_ = node_outcome{code, std::move(message), kept_answers()};
  if (!joined) return end();
  // The process must not end before its last words are out: the HUB would call a node lost that has left.
  end_by_ = now() + goodbye_time;
  self_->send(hub_, node_gone{session_});
}

void node_state::end() {
  if (!ending_) return;
  done_.deliver(std::move(*ending_));
  ending_.reset();
}

uint32_t node_state::kept_answers() const {
  return static_cast<uint32_t>(
      std::count_if(outbox_.begin(), outbox_.end(), [](const auto& x) { return x.second.report.report.answered; }));
}

uint32_t node_state::earlier() const {
  return static_cast<uint32_t>(
      std::count_if(flights_.begin(), flights_.end(), [this](const auto& x) { return x.second.session != session_; }));
}

void node_state::tell(event_kind kind, std::string text) {
  run_event event;
  event.kind = kind;
  event.text = std::move(text);
  self_->send(parts_.progress, std::move(event));
}

void node_state::show() {
  node_view view;
  view.name = parts_.name;
  view.node = parts_.node;
  view.status = phase_ != phase::joined ? node_status::lost
                : leaving_ || run_over_ ? node_status::leaving
                                        : node_status::joined;
  view.slots = parts_.slots;
  view.in_flight = static_cast<uint32_t>(flights_.size());
  view.done = answers_;
  view.failed = failures_;
  view.last_heard = wall_now();
  self_->send(parts_.progress, nodes_seen{{view}});
}

node_service_actor::behavior_type node(node_service_actor::stateful_pointer<node_state> self, node_parts parts) {
  self->state.start(self, std::move(parts));
  return {
      [self](const message_part& part) { self->state.on_part(part); },
      [self](const report_kept& kept) { self->state.on_kept(kept); },
      [self](const hub_pulse& pulse) { self->state.on_hub_pulse(pulse); },
      [self](const hub_farewell& farewell) { self->state.on_farewell(farewell); },
      [self](const node_recall& recall) { self->state.on_recall(recall); },
      [self](const node_start&) { return self->state.on_start(); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const stop_now&) { self->state.on_stop_now(); },
      [self](const node_tick&) { self->state.on_tick(); },
  };
}

}  // namespace cohort::actors
