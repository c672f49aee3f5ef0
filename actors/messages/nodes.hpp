// What a NODE and the HUB of a coordinator say to each other over the network, and what is shown of nodes.
// A session is one joining of one node: numbers of a lost session are never taken for those of the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/messages/work.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "messages/run.hpp"

namespace cohort::actors {

/// Raised with every change of what crosses the wire. The first two fields of `node_hello` and of `node_welcome` stay
/// as they are, so that versions can tell each other that they differ.
inline constexpr uint32_t cluster_protocol = 2;

/// An attempt that a node holds: asked for and not acknowledged.
struct held_attempt {
  std::string ledger_id;  ///< Identity of the ledger that it belongs to; in a hello it is veiled
                          ///< (`actors/nodes/message_checks`).
  int64_t run = 0;
  task_id task;
  uint32_t attempt = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, held_attempt& x) {
  return f(x.ledger_id, x.run, x.task, x.attempt);
}

/// A node's first words.
struct node_hello {
  uint32_t protocol = cluster_protocol;
  std::string session;     ///< Random; new with each joining.
  std::string node;        ///< Identity of the node's spool: the same after a restart.
  std::string process_id;  ///< Random; one for each start of the node's process.
  std::string name;        ///< For people.
  uint32_t slots = 0;
  uint32_t busy = 0;  ///< Slots that attempts of an earlier session still hold.
  std::vector<held_attempt> held;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_hello& x) {
  return f(x.protocol, x.session, x.node, x.process_id, x.name, x.slots, x.busy, x.held);
}

/// The HUB's answer.
struct node_welcome {
  uint32_t protocol = cluster_protocol;
  bool accepted = false;
  ec code = ec::none;  ///< Why not.
  std::string reason;
  std::string ledger_id;  ///< Identity of the ledger that is worked on.
  milliseconds lease{0};  ///< Silence of this length, on either side, ends the session.
  std::string run;        ///< For people: the run's name.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_welcome& x) {
  return f(x.protocol, x.accepted, x.code, x.reason, x.ledger_id, x.lease, x.run);
}

/// A node's heartbeat.
struct node_pulse {
  std::string session;
  uint32_t in_flight = 0;
  uint32_t earlier = 0;  ///< Slots that attempts of an earlier session still hold.
  std::string trouble;   ///< Why its calls fail as a whole; empty if they do not.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_pulse& x) {
  return f(x.session, x.in_flight, x.earlier, x.trouble);
}

/// The HUB's heartbeat, one for each of a node's.
struct hub_pulse {
  std::string session;
  bool known = true;  ///< False: this session has ended, the node has to join again.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hub_pulse& x) {
  return f(x.session, x.known);
}

enum class message_kind : uint8_t {
  order,   ///< HUB to NODE: a `remote_order`.
  report,  ///< NODE to HUB: a `remote_report`.
};

/// A piece of something that may be large: between two pieces heartbeats have their turn.
struct message_part {
  std::string session;
  uint64_t parcel = 0;  ///< Counts within the session and direction.
  uint32_t index = 0;
  uint32_t count = 1;
  message_kind kind = message_kind::order;
  std::string bytes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, message_part& x) {
  return f(x.session, x.parcel, x.index, x.count, x.kind, x.bytes);
}

/// One attempt for a node. The shared prefix goes along once a session, later only its digest.
struct remote_order {
  int64_t run = 0;
  work_order order;  ///< Its `shared_prefix` is empty.
  digest prefix;
  bool with_prefix = false;
  std::string prefix_text;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remote_order& x) {
  return f(x.run, x.order, x.prefix.bytes, x.with_prefix, x.prefix_text);
}

/// How an attempt ended on a node.
struct remote_report {
  std::string ledger_id;
  int64_t run = 0;
  work_report report;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remote_report& x) {
  return f(x.ledger_id, x.run, x.report);
}

/// The report is on the coordinator's disk: the node may forget it.
struct report_kept {
  std::string session;
  std::string ledger_id;
  int64_t run = 0;
  task_id task;
  uint32_t attempt = 0;
  bool taken = true;  ///< False: not for this coordinator; the node keeps it and does not send it again.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, report_kept& x) {
  return f(x.session, x.ledger_id, x.run, x.task, x.attempt, x.taken);
}

/// The node takes no more work.
struct node_leaving {
  std::string session;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_leaving& x) {
  return f(x.session);
}

/// The node has handed everything over and ends.
struct node_gone {
  std::string session;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_gone& x) {
  return f(x.session);
}

/// The run has ended: the node may end, too.
struct hub_farewell {
  std::string session;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hub_farewell& x) {
  return f(x.session);
}

/// Give back what was not sent yet: the node is put aside, or the run stops.
struct node_recall {
  std::string session;
  std::string reason;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_recall& x) {
  return f(x.session, x.reason);
}

// --- Within the coordinator's process
// ---------------------------------------------------------------------------------

/// A report that no worker waits for: it came after its lease was lost, or from before this start.
struct late_report {
  int64_t run = 0;
  std::string node;
  work_report report;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, late_report& x) {
  return f(x.run, x.node, x.report);
}

/// What became of a late report; it is on disk.
struct late_outcome {
  uint32_t batch = 0;
  bool taken = true;  ///< False: nothing was stored, because this program cannot price it.
  bool fresh = false;
  bool used = false;     ///< The task had no answer: this one is its answer now.
  nano_dollars settled;  ///< What the attempt was charged with as unconfirmed until now.
  nano_dollars cost;     ///< What it is charged with now.
  std::string model;     ///< Full id of the model that was asked; of an answer that counts only.
  std::string refusal;   ///< Why it does not count: the attempt is not this node's, or is not owed any more.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, late_outcome& x) {
  return f(x.batch, x.taken, x.fresh, x.used, x.settled.count, x.cost.count, x.model, x.refusal);
}

/// A stored answer for a task that a BATCH may still be working on.
struct answer_arrived {
  uint32_t batch = 0;
  task_id task;
  completion answer;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, answer_arrived& x) {
  return f(x.batch, x.task, x.answer);
}

/// No node holds an attempt of this task any more: it may be asked.
struct task_released {
  task_id task;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_released& x) {
  return f(x.task);
}

/// The report of a work order is on disk.
struct report_stored {
  task_id task;
  uint32_t attempt = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, report_stored& x) {
  return f(x.task, x.attempt);
}

/// How many slots there are, here and on nodes.
struct slots_changed {
  uint32_t total = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slots_changed& x) {
  return f(x.total);
}

/// Where a node stands.
enum class node_status : uint8_t {
  joined,
  leaving,    ///< Takes no more work, finishes what it has.
  put_aside,  ///< Its calls keep failing.
  lost,       ///< Died, hangs or is cut off.
  left,       ///< Ended in good order.
};

[[nodiscard]] std::string_view name(node_status status) noexcept;

/// A node as it is shown.
struct node_view {
  std::string name;
  std::string node;
  node_status status = node_status::joined;
  std::string reason;  ///< Why it was put aside.
  uint32_t slots = 0;
  uint32_t in_flight = 0;
  uint64_t done = 0;     ///< Answers that it brought, of this start.
  uint64_t failed = 0;   ///< Calls of it that failed.
  wall_time last_heard;  ///< When it was last heard of.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_view& x) {
  return f(x.name, x.node, x.status, x.reason, x.slots, x.in_flight, x.done, x.failed, x.last_heard.ms);
}

/// All nodes of this start, for PROGRESS.
struct nodes_seen {
  std::vector<node_view> nodes;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, nodes_seen& x) {
  return f(x.nodes);
}

}  // namespace cohort::actors
