// COORDINATOR: owns the run. Decides which batch is next and when the run has ended.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include <caf/typed_response_promise.hpp>

#include "actors/answers/answer_validator.hpp"
#include "actors/interfaces.hpp"
#include "actors/run/run_context.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::actors {

/// The services of a run; made by `actors/run/run_system.cpp` once the COORDINATOR's handle exists.
struct run_services {
  recorder_actor recorder;
  pool_actor pool;
  cost_monitor_actor money;
  progress_actor progress;
  answer_validator_actor validator;
  std::shared_ptr<validation_backlog> backlog;  ///< The ANSWER VALIDATOR's.
  gateway_actor gateway;
  hub_service_actor hub;  ///< Null if no node can join.
};

class coordinator_state {
 public:
  static inline const char* name = "coordinator";
  using make_services = std::function<run_services(coordinator_actor)>;

  void start(coordinator_actor::stateful_pointer<coordinator_state> self, context_ptr context, run_record run,
             const make_services& make);

  caf::typed_response_promise<run_outcome> on_start();
  void on_drain();
  void on_stop_now();
  void on_stop_run(const stop_run& request);
  void on_delivery_failed(const delivery_failed& what);
  void on_exhausted(const batch_exhausted& batch);
  void on_ended(const batch_ended& batch);
  void on_idle(const slots_idle& idle);
  void on_slots(const slots_changed& slots);
  void on_late(const answer_arrived& late);

 private:
  struct active_batch {
    batch_actor actor;
    bool exhausted = false;     ///< Has nothing left to hand out.
    uint32_t late_answers = 0;  ///< That were passed on to it.
  };

  void open_more();
  [[nodiscard]] bool may_open() const;
  void load_next();
  [[nodiscard]] batch_contents brought_up_to_date(batch_contents contents);
  [[nodiscard]] bool enough_opened() const;
  void open_again(uint32_t batch);
  void spawn_batch(batch_contents contents, uint32_t slots);
  void wind_down();
  void on_service_down();
  void finish_if_done();
  void close();
  void validate_last_answers();
  void store_end();
  void report(const run_outcome& outcome);
  [[nodiscard]] run_outcome outcome() const;
  void tell(run_event event);

  coordinator_actor::stateful_pointer<coordinator_state> self_ = nullptr;
  context_ptr context_;
  run_record run_;
  run_services services_;
  caf::typed_response_promise<run_outcome> done_;
  std::deque<uint32_t> waiting_;          ///< Batches with tasks left to do, in order of the plan.
  std::optional<batch_contents> loaded_;  ///< The next batch, ready to start.
  std::map<uint32_t, active_batch> active_;
  uint32_t opened_ = 0;
  uint32_t slots_ = 0;
  std::optional<uint32_t> loading_;  ///< The batch that the RECORDER reads.
  bool idle_ = true;
  bool stopping_ = false;      ///< No further batch opens.
  bool winding_down_ = false;  ///< Nothing more is handed out or sent, either.
  bool interrupted_ = false;
  bool closing_ = false;
  std::set<uint32_t> late_;                         ///< Batches with a late answer that they were not opened for yet.
  std::vector<answer_arrived> late_while_loading_;  ///< For the batch that the RECORDER reads.
  bool limit_hit_ = false;
  std::string limit_reason_;
  error trouble_;           ///< Stops the run.
  error delivery_failure_;  ///< The last one; does not stop it.
};

coordinator_actor::behavior_type coordinator(coordinator_actor::stateful_pointer<coordinator_state> self,
                                             context_ptr context, run_record run,
                                             const coordinator_state::make_services& make);

}  // namespace cohort::actors
