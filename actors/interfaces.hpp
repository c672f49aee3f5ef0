// Every actor's handle with the table of its messages. Read this file first.
//
//   main ── run_start ──> COORDINATOR ── open_batch ──> RECORDER (own thread: ledger, files, view)
//                              │ spawns one for each batch           ^  intent, attempt_done, deliver, ...
//                              v                                     │
//     COST MONITOR <─ funds_wanted ── BATCH ─────────────────────────┘
//                                       │  answer_to_validate ──> VALIDATOR (own thread: parses)
//                                       │  slots_wanted / slot_lease
//                                       ├──────────────> WORKER POOL ── spawns, monitors ──> WORKER
//                                       └── work_order ─────────────────────────────────────> │ gateway_call
//     PROGRESS <── run_event ── all but ANSWER VALIDATOR, RECORDER, WORKER and WORKER POOL               v
//                                                                                          GATEWAY ──> provider
//
// One line a message, none longer than the formatter's limit: it would join what it wraps with the next line.
#pragma once

#include <memory>
#include <string>

#include <caf/typed_actor.hpp>

#include "actors/messages/control.hpp"
#include "actors/messages/funds.hpp"
#include "actors/messages/nodes.hpp"
#include "actors/messages/recording.hpp"
#include "actors/messages/work.hpp"
#include "messages/events.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::actors {

/// GATEWAY: the only door to the provider; holds calls back as limiter and breaker say, never fails them for it.
///   gateway_call -> gateway_result   Always answered, also after `stop_now` (then `ec::cancelled`).
///   call_ended                       Internal: the provider is done with a call.
///   gateway_recall                   Cancels what is held; later calls are taken.
///   gateway_tick                     Internal: a held call may go.
///   drain                            Cancels what is held and what comes later: it was never sent.
///   stop_now                         Cancels what is in flight, too.
struct gateway_tick {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gateway_tick&) {
  return f();
}
struct gateway_recall {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gateway_recall&) {
  return f();
}
struct call_ended {
  uint64_t id = 0;
  gateway_result result;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, call_ended& x) {
  return f(x.id, x.result);
}
using gateway_actor = caf::typed_actor<caf::replies_to<gateway_call>::with<gateway_result>, caf::reacts_to<call_ended>,
                                       caf::reacts_to<gateway_tick>, caf::reacts_to<gateway_recall>,
                                       caf::reacts_to<drain>, caf::reacts_to<stop_now>>;

/// WORKER: one attempt at a time; sends again by itself only what certainly was not billed.
///   work_order -> work_report        Always answered.
///   worker_wake                      Internal: the pause before sending again is over.
///   drain                            Ends such a pause: nothing is in flight, so nothing is sent again.
///   report_stored                    The report is on disk; a REMOTE WORKER tells its node so.
struct worker_wake {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_wake&) {
  return f();
}
using worker_actor = caf::typed_actor<caf::replies_to<work_order>::with<work_report>, caf::reacts_to<worker_wake>,
                                      caf::reacts_to<drain>, caf::reacts_to<report_stored>>;

/// REMOTE WORKER: stands for all slots of one node; its end is the node's.
///   as WORKER
///   work_report                      From the HUB: the node's report.
using remote_worker_actor = worker_actor::extend<caf::reacts_to<work_report>>;

/// A slot for one attempt. The BATCH gives it back with `lease_return`.
struct slot_lease {
  uint64_t lease = 0;
  worker_actor worker;
  std::string node;  ///< Identity of the node that the slot is on; empty: this machine.
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slot_lease& x) {
  return f(x.lease, x.worker, x.node);
}

/// BATCH: the tasks of one batch; ends by itself when each has a final state or is deferred.
///   slot_lease                       A slot for the next granted task.
///   lease_lost                       The worker behind a lease is gone.
///   retry_task                       Internal: the pause before another attempt is over.
///   drain                            Hand out nothing more, end when nothing is in flight.
///   answer_arrived                   A late answer was stored as the answer of one of its tasks.
///   task_released                    A task that a node might have held may be asked.
///   slots_changed                    How far ahead to ask for money.
struct retry_task {
  task_id task;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_task& x) {
  return f(x.task);
}
using batch_actor = caf::typed_actor<caf::reacts_to<slot_lease>, caf::reacts_to<lease_lost>, caf::reacts_to<retry_task>,
                                     caf::reacts_to<drain>, caf::reacts_to<answer_arrived>,
                                     caf::reacts_to<task_released>, caf::reacts_to<slots_changed>>;

/// `count` more slots for `batch`.
struct slots_wanted {
  uint32_t batch = 0;
  uint32_t count = 0;
  batch_actor from;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slots_wanted& x) {
  return f(x.batch, x.count, x.from);
}

/// WORKER POOL: leases slots in fair order between batches.
///   slots_wanted                     Answered by one `slot_lease` for each, when its turn comes.
///   lease_return                     A stale one is ignored.
///   batch_exhausted                  The batch wants no more slots; outstanding wants are dropped.
///   drain                            Passed on to the workers.
///   slots_joined                     A node's slots; they go with their worker's end.
///   slots_retired                    No more leases for this worker's slots.
struct slots_joined {
  remote_worker_actor worker;
  std::string node;
  uint32_t count = 0;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slots_joined& x) {
  return f(x.worker, x.node, x.count);
}
struct slots_retired {
  remote_worker_actor worker;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slots_retired& x) {
  return f(x.worker);
}
using pool_actor =
    caf::typed_actor<caf::reacts_to<slots_wanted>, caf::reacts_to<lease_return>, caf::reacts_to<batch_exhausted>,
                     caf::reacts_to<drain>, caf::reacts_to<slots_joined>, caf::reacts_to<slots_retired>>;

/// COST MONITOR: grants before a request is sent, settles after.
///   funds_wanted -> funds_answer     May wait for reservations to be settled.
///   settlement                       Ends one reservation.
using cost_monitor_actor =
    caf::typed_actor<caf::replies_to<funds_wanted>::with<funds_answer>, caf::reacts_to<settlement>>;

/// RECORDER: the ledger, the delivered files and the view; a reply means that it is on disk.
///   open_batch     -> batch_contents   Tasks whose source is gone or changed come back as skipped.
///   intent         -> recorded         The attempt may be sent now.
///   attempt_done   -> recorded         A resend is only acknowledged.
///   attempt_failed -> recorded
///   task_ended     -> recorded
///   late_report    -> late_outcome     A report that no BATCH waits for.
///   deliver_text   -> delivery         The file is written; synced with its batch.
///   close_batch    -> recorded         View published, a sync of its files begun if the last one is a second ago.
///   close_run      -> recorded         Files synced, status stored, view published; nothing may follow.
///                  -> error            Each: code and text; for a full disk after every reserve is used up.
///   recorder_flush                     Internal: commit what waits.
///   sync_ended                         Internal: what was delivered before the sync began is on the disk.
///   stop_now                           What cannot be written now is refused instead of kept and tried again.
struct deliver_text {
  deliver what;
  std::string extracted;  ///< The usable part of the answer.
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deliver_text& x) {
  return f(x.what, x.extracted);
}
struct sync_ended {
  ec code = ec::none;
  std::string message;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, sync_ended& x) {
  return f(x.code, x.message);
}
struct recorder_flush {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, recorder_flush&) {
  return f();
}
using recorder_actor =
    caf::typed_actor<caf::replies_to<open_batch>::with<batch_contents>, caf::replies_to<intent>::with<recorded>,
                     caf::replies_to<attempt_done>::with<recorded>, caf::replies_to<attempt_failed>::with<recorded>,
                     caf::replies_to<task_ended>::with<recorded>, caf::replies_to<late_report>::with<late_outcome>,
                     caf::replies_to<deliver_text>::with<delivery>, caf::replies_to<close_batch>::with<recorded>,
                     caf::replies_to<close_run>::with<recorded>, caf::reacts_to<recorder_flush>,
                     caf::reacts_to<sync_ended>, caf::reacts_to<stop_now>>;

/// ANSWER VALIDATOR: finds what is usable in the answers of all batches. Parsing is the largest part of a task's work.
///   answer_to_validate -> validation       Always answered, in order of arrival.
struct answer_to_validate {
  std::shared_ptr<const task_spec> task;  ///< Of its BATCH, which waits for the reply. Never leaves the process.
  std::string text;
};
struct validation {
  ec code = ec::none;  ///< `ec::none`: usable.
  std::string text;    ///< The usable part; otherwise what is wrong.
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, validation& x) {
  return f(x.code, x.text);
}
using answer_validator_actor = caf::typed_actor<caf::replies_to<answer_to_validate>::with<validation>>;

/// PROGRESS: a view; folds events into snapshots and hands them to the screen.
///   run_event                        Folded in, logged, shown.
///   nodes_seen                       Where the nodes stand.
///   progress_refresh                 Internal: time passed.
struct progress_refresh {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, progress_refresh&) {
  return f();
}
using progress_actor =
    caf::typed_actor<caf::reacts_to<run_event>, caf::reacts_to<nodes_seen>, caf::reacts_to<progress_refresh>>;

/// COORDINATOR: owns the run.
///   run_start -> run_outcome         Replies when the run has ended, whatever the reason.
///   drain, stop_now                  From signals.
///   stop_run                             From BATCH, RECORDER or main, who finds that the run cannot go on.
///   delivery_failed                          From a batch: a paid result could not be put in its place.
///   batch_exhausted, batch_ended     From its batches.
///   slots_idle, slots_changed        From the pool.
///   answer_arrived                   From the HUB: passed on to its BATCH, which is opened again if need be.
using coordinator_actor =
    caf::typed_actor<caf::replies_to<run_start>::with<run_outcome>, caf::reacts_to<drain>, caf::reacts_to<stop_now>,
                     caf::reacts_to<stop_run>, caf::reacts_to<delivery_failed>, caf::reacts_to<batch_exhausted>,
                     caf::reacts_to<batch_ended>, caf::reacts_to<slots_idle>, caf::reacts_to<slots_changed>,
                     caf::reacts_to<answer_arrived>>;

// --- Machines that join. NODE and HUB are the only actors that are reached over the network. ---

/// NODE, as the HUB sees it.
///   message_part                        A piece of an order.
///   report_kept                      A report is on the coordinator's disk: forget it.
///   hub_pulse                        The HUB lives, and whether it still knows this session.
///   hub_farewell                     The run has ended.
///   node_recall                      Give back what was not sent yet.
using node_actor =
    caf::typed_actor<caf::reacts_to<message_part>, caf::reacts_to<report_kept>, caf::reacts_to<hub_pulse>,
                     caf::reacts_to<hub_farewell>, caf::reacts_to<node_recall>>;

/// A hello with the way back.
struct node_call {
  node_hello hello;
  node_actor node;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_call& x) {
  return f(x.hello, x.node);
}

/// HUB, as nodes see it: what is published.
///   node_call  -> node_welcome       Also says no, with a reason.
///   message_part                        A piece of a report.
///   node_pulse                       Answered by a hub_pulse.
///   node_leaving                     Takes no more.
///   node_gone                        Has handed over everything; answered by a hub_pulse that knows it no more.
using hub_actor = caf::typed_actor<caf::replies_to<node_call>::with<node_welcome>, caf::reacts_to<message_part>,
                                   caf::reacts_to<node_pulse>, caf::reacts_to<node_leaving>, caf::reacts_to<node_gone>>;

/// From a REMOTE WORKER: an order for its node.
struct node_order {
  std::string session;
  work_order order;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_order& x) {
  return f(x.session, x.order);
}
/// From a REMOTE WORKER: a report of its node is on disk.
struct node_report_stored {
  std::string session;
  report_stored what;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_report_stored& x) {
  return f(x.session, x.what);
}
/// From a BATCH: tasks that nodes may hold an answer for. Each is released, or its answer arrives.
struct tasks_in_doubt {
  batch_actor from;
  std::vector<task_id> tasks;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, tasks_in_doubt& x) {
  return f(x.from, x.tasks);
}
struct hub_tick {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hub_tick&) {
  return f();
}
/// Ends the nodes; the reply comes when they have gone, or soon after.
struct hub_close {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hub_close&) {
  return f();
}
struct hub_closed {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, hub_closed&) {
  return f();
}

/// HUB, as the coordinator's own actors see it.
///   node_order                       From a REMOTE WORKER: to be carried to its node.
///   node_report_stored               From a REMOTE WORKER: to be acknowledged to its node.
///   tasks_in_doubt                    From a BATCH: each is released, or its answer arrives.
///   hub_tick                         Internal: silent nodes, those to be tried again.
///   hub_close -> hub_closed          Answered when the nodes have gone, or soon after.
///   drain                            Nodes give back what was not sent.
///   stop_now                         What is in flight on nodes is given up; it stays charged.
using hub_service_actor =
    hub_actor::extend<caf::reacts_to<node_order>, caf::reacts_to<node_report_stored>, caf::reacts_to<tasks_in_doubt>,
                      caf::reacts_to<hub_tick>, caf::reacts_to<drain>, caf::reacts_to<stop_now>,
                      caf::replies_to<hub_close>::with<hub_closed>>;

/// DIALER, on a thread of its own: looks whether the coordinator is there, then connects.
///   dial_options -> dialed              Blocks for seconds; always answered.
struct dial_options {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dial_options&) {
  return f();
}
struct dialed {
  hub_actor hub;  ///< Null: see `code`.
  ec code = ec::none;
  std::string message;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, dialed& x) {
  return f(x.hub, x.code, x.message);
}
using dialer_actor = caf::typed_actor<caf::replies_to<dial_options>::with<dialed>>;

/// SPOOL WRITER, on a thread of its own: the node's spool.
///   spool_report   -> recorded        The answer is on this machine's disk.
///   unspool_report                    The coordinator has it, too.
struct spool_report {
  remote_report what;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, spool_report& x) {
  return f(x.what);
}
struct unspool_report {
  held_attempt which;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unspool_report& x) {
  return f(x.which);
}
using spool_writer_actor =
    caf::typed_actor<caf::replies_to<spool_report>::with<recorded>, caf::reacts_to<unspool_report>>;

/// Starts a node; the reply comes when it has ended.
struct node_start {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_start&) {
  return f();
}
/// How a node ended.
struct node_outcome {
  ec code = ec::none;  ///< `ec::none`: in good order.
  std::string message;
  uint32_t kept = 0;  ///< Answers left in the spool.
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_outcome& x) {
  return f(x.code, x.message, x.kept);
}
struct node_tick {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, node_tick&) {
  return f();
}

/// NODE, as its own process sees it.
///   node_start -> node_outcome       The reply comes when it has ended.
///   node_tick                        Internal: pulses, dialing, deadlines.
///   drain                            Takes no more, finishes, hands over, ends.
///   stop_now                         Ends at once; unsent answers stay in the spool.
using node_service_actor = node_actor::extend<caf::replies_to<node_start>::with<node_outcome>, caf::reacts_to<drain>,
                                              caf::reacts_to<stop_now>, caf::reacts_to<node_tick>>;

}  // namespace cohort::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(cohort::actors::answer_to_validate)
