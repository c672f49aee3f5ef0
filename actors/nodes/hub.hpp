// HUB: the coordinator's side of all joined nodes. Publishes itself; gives each node's slots to the WORKER POOL;
// carries orders and reports; ends the session of a node that is silent; takes late reports. Money and intents are
// settled before an order comes here, and a report is acknowledged to its node only when it is on disk.
//
//   BATCH ── work_order ──> REMOTE WORKER ── node_order ──> HUB ══ message_part ══> NODE
//   BATCH <── work_report ─ REMOTE WORKER <── work_report ─ HUB <══ message_part ══ NODE
//   BATCH ── report_stored > REMOTE WORKER ─────────────>   HUB ══ report_kept ═> NODE
//   late:            RECORDER <── late_report ── HUB ── answer_arrived ──> COORDINATOR ──> BATCH
#pragma once

#include <functional>

#include <caf/typed_response_promise.hpp>

#include "actors/attempts/in_doubt_attempts.hpp"
#include "actors/interfaces.hpp"
#include "actors/nodes/node_framing.hpp"
#include "actors/nodes/node_table.hpp"
#include "actors/run/run_context.hpp"

namespace cohort::actors {

/// What a HUB works with.
struct hub_parts {
  context_ptr context;
  std::string ledger_id;  ///< Identity of the ledger.
  int64_t run = 0;
  std::string run_name;
  node_rules rules;
  std::vector<state::in_doubt_attempt> in_doubt;  ///< What nodes may hold from before this start.
  recorder_actor recorder;
  pool_actor pool;
  cost_monitor_actor money;
  progress_actor progress;
  coordinator_actor coordinator;
  std::function<void(const caf::actor_addr&)> expel;  ///< Ends the connection of a node that breaks the protocol.
};

class hub_state {
 public:
  static inline const char* name = "hub";

  ~hub_state();
  void start(hub_service_actor::stateful_pointer<hub_state> self, hub_parts parts);

  node_welcome on_call(node_call& call);
  void on_part(const message_part& part);
  void on_pulse(node_pulse& pulse);
  void on_leaving(const node_leaving& node);
  void on_gone(const node_gone& node);
  void on_order(const node_order& order);
  void on_stored(const node_report_stored& what);
  void on_in_doubt(const tasks_in_doubt& request);
  void on_tick();
  void on_drain();
  void on_stop_now();
  caf::typed_response_promise<hub_closed> on_close();

 private:
  struct node_link {
    node_actor node;
    remote_worker_actor worker;
    message_joiner parts;
    bool reported_end = false;  ///< Heard that the run has ended.
  };

  [[nodiscard]] std::optional<error> objection(const node_call& call);
  void admit(const node_call& call);
  [[nodiscard]] node_entry* speaker(const std::string& session);
  void cut_off(node_entry& node, const std::string& why);
  void give_up_if_nobody_works();
  [[nodiscard]] bool brings_answers(const node_hello& hello) const;
  void say_farewell();
  void wait_for_last_answers();
  [[nodiscard]] bool all_gone() const { return links_.empty() && storing_ == 0; }
  void settle_unsent(node_entry& node, std::set<attempt_id>& held);
  void on_down(const caf::actor_addr& gone, const std::string& why);
  void end_session(const std::string& session, node_status how, const std::string& why);
  void on_report(node_entry& node, remote_report& report);
  void count_outcome(node_entry& node, work_report& what);
  void on_late(node_entry& node, remote_report& report);
  void on_late_stored(const std::string& session, const remote_report& report, const late_outcome& outcome);
  void end_late(const std::string& session, size_t bytes);
  void count_refused(const std::string& session);
  void use_late(const remote_report& report, const late_outcome& outcome);
  void acknowledge(const std::string& session, const remote_report& report, bool taken);
  void put_aside(node_entry& node, const std::string& why, bool for_good);
  void feed_again(node_entry& node);
  void give_back(const std::string& session, const work_order& order, ec code, const std::string& why);
  void release(const std::vector<task_id>& tasks);
  void send_message(node_entry& node, const remote_order& order);
  [[nodiscard]] bool others_can_work(const node_entry& node) const;
  void tell(event_kind kind, const node_view& node, std::string text, ec code = ec::none);
  void publish();
  [[nodiscard]] steady_time now() const;

  hub_service_actor::stateful_pointer<hub_state> self_ = nullptr;
  hub_parts parts_;
  std::unique_ptr<node_table> table_;
  std::unique_ptr<in_doubt_attempts> in_doubt_;
  std::map<std::string, node_link> links_;                 ///< By session.
  std::map<std::string, std::set<attempt_id>> abandoned_;  ///< By placement: attempts without an outcome.
  std::set<std::string> refused_;                          ///< Nodes that broke the protocol.
  std::optional<steady_time> nobody_since_;                ///< Everyone who could work was put aside for good.
  std::string prefix_text_;                                ///< Of the last order, with its digest: most share it.
  digest prefix_{};
  std::map<task_id, batch_actor> waiting_;  ///< Batches that wait to hear of a task.
  caf::typed_response_promise<hub_closed> closed_;
  steady_time published_{};
  std::optional<steady_time> closing_;
  uint32_t storing_ = 0;  ///< Late reports on their way to the disk.
  bool reported_waiting_ = false;
  bool draining_ = false;
  bool gives_up_ = false;  ///< Told to stop now: answers that are not here yet stay with their nodes.
};

hub_service_actor::behavior_type hub(hub_service_actor::stateful_pointer<hub_state> self, hub_parts parts);

}  // namespace cohort::actors
