// BATCH: carries what the flow of its tasks asks for to its partners, and their replies back as events. What follows
// from what is decided in `task_flow`.
#pragma once

#include <map>
#include <memory>

#include "actors/answers/answer_validator.hpp"
#include "actors/interfaces.hpp"
#include "actors/run/run_context.hpp"
#include "actors/run/task_flow.hpp"

namespace cohort::actors {

/// The actors that a batch talks to.
struct batch_partners {
  coordinator_actor coordinator;
  recorder_actor recorder;
  pool_actor pool;
  cost_monitor_actor money;
  progress_actor progress;
  answer_validator_actor validator;
  std::shared_ptr<validation_backlog> backlog;  ///< The ANSWER VALIDATOR's.
  hub_service_actor hub;                        ///< Null if no node can join.
};

class batch_state {
 public:
  static inline const char* name = "batch";

  void start(batch_actor::stateful_pointer<batch_state> self, context_ptr context, batch_partners partners,
             batch_contents contents, uint32_t slots);

  /// Something happened: the flow says what follows, and it is carried out.
  void feed(const flow_event& what);
  void on_slot(const slot_lease& slot);

 private:
  void carry_all(flow_effects effects);
  void carry(effect::reserve& x);
  void carry(effect::want_slot& x);
  void carry(effect::release_slot& x);
  void carry(effect::settle& x);
  void carry(effect::store_intent& x);
  void carry(effect::ask& x);
  void carry(effect::store_answer& x);
  void carry(effect::store_failure& x);
  void carry(effect::store_end& x);
  void carry(effect::acknowledge& x);
  void carry(effect::validate& x);
  void carry(effect::deliver& x);
  void carry(effect::wake& x);
  void carry(effect::hold& x);
  void carry(effect::tell& x);
  void carry(effect::stop& x);
  void carry(effect::delivery_problem& x);
  void carry(effect::exhausted& x);
  void carry(effect::close& x);

  /// Asks a partner; its reply becomes an event by `to_event`, its error `event::refused`.
  template <class Reply, class Partner, class Message, class ToEvent>
  void request(const Partner& partner, const task_id& task, Message message, ToEvent to_event);
  template <class Record>
  void store(const task_id& task, Record record);

  batch_actor::stateful_pointer<batch_state> self_ = nullptr;
  context_ptr context_;
  batch_partners partners_;
  uint32_t index_ = 0;
  std::shared_ptr<task_flow> flow_;
  std::map<uint64_t, slot_lease> slots_;         ///< That this batch holds, by lease.
  std::map<uint64_t, worker_actor> to_be_told_;  ///< Workers on nodes that keep a report until it is on disk, by lease.
};

batch_actor::behavior_type batch(batch_actor::stateful_pointer<batch_state> self, context_ptr context,
                                 batch_partners partners, batch_contents contents, uint32_t slots);

}  // namespace cohort::actors
