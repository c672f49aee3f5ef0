// HUB: what nodes say of their attempts. Nothing of it is believed because of who says so: its form is checked, whose
// attempt it is, and whether it is owed. Whether its usage can be true is seen where answers are priced.

#include <fmt/format.h>
#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "actors/nodes/hub.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr uint32_t most_late = 64;                  // Late reports beyond its slots that a node may have on the way.
constexpr uint32_t most_refused = 1000;             // Reports that are not taken, in one session.
constexpr uint64_t most_late_bytes = 512ULL << 20;  // And their texts.

}  // namespace

/// The connection ends, too. Whatever the node has sent may be billed: its orders end as those of a lost node do.
void hub_state::cut_off(node_entry& node, const std::string& why) {
  refused_.insert(node.view.node);
  const auto session = node.session;
  const auto address = links_[session].node.address();
  end_session(session, node_status::put_aside, why);
  if (parts_.expel) parts_.expel(address);
}

void hub_state::on_part(const message_part& part) {
  auto* entry = speaker(part.session);
  if (entry == nullptr) {
    if (auto from = caf::actor_cast<node_actor>(self_->current_sender()))
      self_->send(from, hub_pulse{part.session, false});
    return;
  }
  table_->note_pulse(*entry, now(), wall_now());
  if (const auto fault = fault_in(part, message_kind::report); !fault.empty()) return cut_off(*entry, fault);
  auto& joiner = links_[part.session].parts;
  const auto whole = joiner.add(part);
  if (joiner.broken()) return cut_off(*entry, "the parts of what it sends do not belong together");
  if (!whole) return;
  auto report = unpack_report(*whole);
  if (!report) return cut_off(*entry, "it sent something that is no report");
  if (const auto fault = fault_in(*report); !fault.empty()) return cut_off(*entry, fault);
  make_showable(*report);
  on_report(*entry, *report);
}

void hub_state::on_report(node_entry& node, remote_report& report) {
  auto& what = report.report;
  if (report.ledger_id != parts_.ledger_id) return acknowledge(node.session, report, false);
  const auto order = node.orders.find({what.task, what.attempt});
  const bool expected_here =
      report.run == parts_.run && order != node.orders.end() && order->second.lease == what.lease;
  if (!expected_here) return on_late(node, report);
  if (what.answered) {
    if (what.answer.text.size() > longest_text(order->second))
      return cut_off(node, fmt::format("an answer of at most {} tokens has {} bytes", order->second.max_tokens,
                                       what.answer.text.size()));
  } else if (blame_for(what.failure.code) == blame::liar) {
    return cut_off(node, fmt::format("it says that a call failed with '{}'", cohort::name(what.failure.code)));
  }
  count_outcome(node, what);
  node.orders.erase(order);
  self_->send(links_[node.session].worker, std::move(what));
}

/// What a failure says about the node, and what of it is still the task's.
void hub_state::count_outcome(node_entry& node, work_report& what) {
  const auto verdict = table_->verdict_on(node, what);
  const bool others = others_can_work(node);
  const auto whose = what.answered ? blame::task : blame_for(what.failure.code);
  if (verdict != node_verdict::fine && others && node.view.status == node_status::joined)
    put_aside(node, what.failure.message, verdict == node_verdict::aside_for_good);
  const bool of_the_node = whose == blame::node || (!what.answered && never_arrived(what.failure)) ||
                           (whose == blame::unclear && verdict != node_verdict::fine);
  if (!of_the_node) return;
  auto& failure = what.failure;
  if (!others) {
    failure.message = fmt::format("node {}: {}", node.view.name, failure.message);
  } else if (failure.billed == billing::unbilled) {
    // It says nothing about the task: another machine is asked.
    failure.code = ec::node_left;
    failure.retry = true;
  } else if (whose == blame::node) {
    failure.code = ec::worker_lost;  // Charged as it is, and asked again elsewhere.
    failure.retry = true;
  }
}

bool hub_state::others_can_work(const node_entry& node) const {
  return parts_.context->settings.concurrent > 0 || table_->others_work(node);
}

void hub_state::on_late(node_entry& node, remote_report& report) {
  const auto bytes = report.report.answer.text.size() + report.report.failure.text.size();
  // A node waits for acknowledgements before it hands over more than this.
  if (++node.storing > node.view.slots + most_late || (node.storing_bytes += bytes) > most_late_bytes)
    return cut_off(node, "it hands over more at once than it may");
  ++storing_;
  self_->request(parts_.recorder, caf::infinite, late_report{report.run, node.view.node, report.report})
      .then(
          [this, bytes, session = node.session, report](const late_outcome& outcome) {
            on_late_stored(session, report, outcome);
            end_late(session, bytes);
          },
          [this, bytes, session = node.session, report](const caf::error& problem) {
            const auto cause = from_caf(problem);
            log_warning("a late answer could not be stored: {}", cause.message);
            if (cause.code == ec::task_unknown) acknowledge(session, report, false);
            end_late(session, bytes);
          });
}

void hub_state::end_late(const std::string& session, size_t bytes) {
  if (auto* node = table_->find(session)) {
    --node->storing;
    node->storing_bytes -= bytes;
  }
  --storing_;
  wait_for_last_answers();
}

/// A spool that was copied may hold some that are not its node's; whoever goes on and on is after something else.
void hub_state::count_refused(const std::string& session) {
  auto* node = table_->find(session);
  if (node != nullptr && ++node->refused > most_refused)
    cut_off(*node, "it goes on reporting attempts that it was not given");
}

void hub_state::on_late_stored(const std::string& session, const remote_report& report, const late_outcome& outcome) {
  acknowledge(session, report, outcome.taken);
  if (auto* node = table_->find(session); node != nullptr && report.report.answered && outcome.taken) ++node->view.done;
  if (!outcome.refusal.empty()) {
    log_warning("a report for attempt {} of task {} is not taken: {}", report.report.attempt,
                to_string(report.report.task), outcome.refusal);
    return count_refused(session);
  }
  use_late(report, outcome);
}

void hub_state::use_late(const remote_report& report, const late_outcome& outcome) {
  if (report.run != parts_.run || !outcome.taken) return;
  const auto& what = report.report;
  if (outcome.fresh) {
    // What was charged as unconfirmed becomes what it really cost.
    const spending now_known = !outcome.model.empty() ? spending{outcome.cost, nano_dollars{} - outcome.settled}
                                                      : spending{{}, outcome.cost - outcome.settled};
    self_->send(parts_.money, settlement{outcome.batch, {}, now_known});
  }
  if (outcome.used) {
    in_doubt_->answered(what.task);
    waiting_.erase(what.task);
    self_->send(parts_.coordinator, answer_arrived{outcome.batch, what.task, what.answer});
  } else if (in_doubt_->settled({what.task, what.attempt})) {
    release({what.task});
  }
}

void hub_state::acknowledge(const std::string& session, const remote_report& report, bool taken) {
  const auto link = links_.find(session);
  if (link == links_.end()) return;
  self_->send(link->second.node,
              report_kept{session, report.ledger_id, report.run, report.report.task, report.report.attempt, taken});
}

void hub_state::on_stored(const node_report_stored& what) {
  remote_report known{parts_.ledger_id, parts_.run, {}};
  known.report.task = what.what.task;
  known.report.attempt = what.what.attempt;
  acknowledge(what.session, known, true);
}

}  // namespace cohort::actors
