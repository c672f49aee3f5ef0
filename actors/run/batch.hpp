// BATCH: takes the tasks of one batch through money, slot, intent, worker, ledger and file.
#pragma once

#include <set>
#include <string>

#include "actors/answers/answer_validator.hpp"
#include "actors/interfaces.hpp"
#include "actors/run/model_fallback.hpp"
#include "actors/run/run_context.hpp"
#include "actors/run/task_board.hpp"
#include "messages/priced_answer.hpp"

namespace cohort::actors {

/// The actors that a batch talks to.
struct batch_partners {
  coordinator_actor coordinator;
  recorder_actor recorder;
  pool_actor pool;
  cost_monitor_actor money;
  progress_actor progress;
  answer_validator_actor validator;
  std::shared_ptr<validation_backlog> backlog;  ///< The JUDGE's.
  hub_service_actor hub;                        ///< Null if no node can join.
};

class batch_state {
 public:
  static inline const char* name = "batch";

  void start(batch_actor::stateful_pointer<batch_state> self, context_ptr context, batch_partners partners,
             batch_contents contents, uint32_t slots);

  void on_slot(const slot_lease& slot);
  void on_lost(const lease_lost& lost);
  void on_retry(const task_id& id);
  void on_drain();
  void on_late(const answer_arrived& late);
  void on_released(const task_released& released);
  void on_slots(const slots_changed& slots);

 private:
  void pump();
  void ask_for_money(board_entry& entry);
  void on_funds(const task_id& id, nano_dollars amount, const funds_answer& answer);
  void send(board_entry& entry, const slot_lease& slot);
  void hand_over(const task_id& id, const slot_lease& slot);
  void on_report(const work_report& report, const worker_actor& from);
  void tell_stored(const worker_actor& from, const task_id& id, uint32_t attempt);
  void wait_for_nodes(const std::vector<task_id>& in_doubt);
  void validate_late(board_entry& entry);
  [[nodiscard]] attempt_done priced(board_entry& entry, const work_report& report);
  void on_answer(board_entry& entry, const work_report& report, const worker_actor& from);
  void on_failure(board_entry& entry, const call_failure& failure, const worker_actor& from);
  void notice_model(board_entry& entry, const std::string& asked, const std::string& answered);
  void validate(const task_id& id, completion answer);
  void on_validation(const task_id& id, validation how);
  void deliver_file(board_entry& entry, std::string extracted);
  void follow(board_entry& entry, const next_step& step, ec code, const std::string& reason);
  void end(board_entry& entry, task_state state, ec code, const std::string& reason);
  [[nodiscard]] const model_info& model_of(const board_entry& entry, uint32_t attempt) const;
  void settle(board_entry& entry, const spending& spent);
  void give_back(uint64_t lease);
  void order_stop(ec code, const std::string& message);
  void finish_if_done();
  void tell(event_kind kind, board_entry& entry, ec code = ec::none, std::string text = {}, nano_dollars cost = {});

  batch_actor::stateful_pointer<batch_state> self_ = nullptr;
  context_ptr context_;
  batch_partners partners_;
  uint32_t index_ = 0;
  std::shared_ptr<task_board> board_;
  std::unique_ptr<model_fallback> fallback_;
  uint32_t slots_ = 0;  ///< Of the whole run, here and on nodes.
  bool run_limit_ = false;
  bool reported_exhausted_ = false;
  bool closing_ = false;
  uint32_t late_answers_ = 0;  ///< That were taken in.
  std::string veto_;
  std::set<usage_doubt> doubts_;        ///< That were told.
  std::set<std::string> other_models_;  ///< That answered without being asked, and were named to the user.
};

batch_actor::behavior_type batch(batch_actor::stateful_pointer<batch_state> self, context_ptr context,
                                 batch_partners partners, batch_contents contents, uint32_t slots);

}  // namespace cohort::actors
