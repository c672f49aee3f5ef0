// Every actor's handle with the table of its messages. Read this file first.
//
//   main ── run_start ──> COORDINATOR ── open_batch ──> RECORDER (own thread: ledger, files, view)
//                              │ spawns one for each batch           ^  intent, attempt_done, deliver, ...
//                              v                                     │
//     COST MONITOR <─ funds_wanted ── BATCH ─────────────────────────┘
//                                       │  slots_wanted / slot_lease
//                                       ├──────────────> WORKER POOL ── spawns, monitors ──> WORKER
//                                       └── work_order ─────────────────────────────────────> │ gateway_call
//     PROGRESS <── run_event ── COORDINATOR, BATCH                                            v
//                                                                                          GATEWAY ──> provider
#pragma once

#include <memory>
#include <string>

#include <caf/typed_actor.hpp>

#include "messages/control.hpp"
#include "messages/events.hpp"
#include "messages/funds.hpp"
#include "messages/recording.hpp"
#include "messages/work.hpp"

namespace cohort {

/// GATEWAY: the process's only door to the provider; holds calls back as limiter and breaker say, never fails them for
/// it.
///   gateway_call -> gateway_result   Always answered, also after `stop_now` (then `ec::cancelled`).
///   call_ended                       Internal: the provider is done with a call.
///   tick                             Internal: a held call may go.
///   drain                            Cancels what is held and what comes later: it was never sent, so it is not in
///   flight. stop_now                         Cancels what is in flight and what is held.
struct gateway_tick {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gateway_tick&) {
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
                                       caf::reacts_to<gateway_tick>, caf::reacts_to<drain>, caf::reacts_to<stop_now>>;

/// WORKER: one attempt at a time; sends again by itself only what certainly was not billed.
///   work_order -> work_report        Always answered.
///   worker_wake                      Internal: the pause before sending again is over.
///   drain                            Ends such a pause: nothing is in flight, so nothing is sent again.
struct worker_wake {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, worker_wake&) {
  return f();
}
using worker_actor = caf::typed_actor<caf::replies_to<work_order>::with<work_report>, caf::reacts_to<worker_wake>,
                                      caf::reacts_to<drain>>;

/// A slot for one attempt. The BATCH gives it back with `lease_return`.
struct slot_lease {
  uint64_t lease = 0;
  worker_actor worker;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slot_lease& x) {
  return f(x.lease, x.worker);
}

/// BATCH: the tasks of one batch; ends by itself when each has a final state or is deferred.
///   slot_lease                       A slot for the next granted task.
///   lease_lost                       The worker behind a lease is gone.
///   retry_task                       Internal: the pause before another attempt is over.
///   drain                            Hand out nothing more, end when nothing is in flight.
struct retry_task {
  task_id task;
};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, retry_task& x) {
  return f(x.task);
}
using batch_actor = caf::typed_actor<caf::reacts_to<slot_lease>, caf::reacts_to<lease_lost>, caf::reacts_to<retry_task>,
                                     caf::reacts_to<drain>>;

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
using pool_actor = caf::typed_actor<caf::reacts_to<slots_wanted>, caf::reacts_to<lease_return>,
                                    caf::reacts_to<batch_exhausted>, caf::reacts_to<drain>>;

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
///   deliver        -> delivery         The file is written; synced with its batch.
///   close_batch    -> recorded         View published; a sync of its files has begun, unless the last one was just
///   now. close_run      -> recorded         Files synced, status stored, view published; nothing may follow.
///   sync_ended                         Internal: what was delivered before the sync began is on the disk.
///                  -> error            Code and text; for a full disk after every reserve is used up.
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
                     caf::replies_to<task_ended>::with<recorded>, caf::replies_to<deliver_text>::with<delivery>,
                     caf::replies_to<close_batch>::with<recorded>, caf::replies_to<close_run>::with<recorded>,
                     caf::reacts_to<recorder_flush>, caf::reacts_to<sync_ended>>;

/// PROGRESS: a view; folds events into snapshots and hands them to the screen.
///   run_event
///   progress_refresh                 Internal: time passed.
struct progress_refresh {};
template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, progress_refresh&) {
  return f();
}
using progress_actor = caf::typed_actor<caf::reacts_to<run_event>, caf::reacts_to<progress_refresh>>;

/// COORDINATOR: owns the run.
///   run_start -> run_outcome         Replies when the run has ended, whatever the reason.
///   drain, stop_now                  From signals.
///   halt                             From anyone who finds that the run cannot go on.
///   setback                          From a batch: a paid result could not be put in its place.
///   batch_exhausted, batch_ended     From its batches.
///   slots_idle                       From the pool.
using coordinator_actor =
    caf::typed_actor<caf::replies_to<run_start>::with<run_outcome>, caf::reacts_to<drain>, caf::reacts_to<stop_now>,
                     caf::reacts_to<halt>, caf::reacts_to<setback>, caf::reacts_to<batch_exhausted>,
                     caf::reacts_to<batch_ended>, caf::reacts_to<slots_idle>>;

}  // namespace cohort
