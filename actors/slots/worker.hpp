// WORKER: one attempt at a time. Sends again by itself only what certainly was not billed; everything else
// goes back to the BATCH, which reserves anew.
#pragma once

#include <functional>
#include <optional>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"

namespace cohort::actors {

/// How long to wait before sending again, or nothing to give up. `sends` counts from 1.
using resend_rule =
    std::function<std::optional<milliseconds>(uint32_t sends, milliseconds elapsed, const call_failure&)>;

class worker_state {
 public:
  static inline const char* name = "worker";

  void start(worker_actor::stateful_pointer<worker_state> self, gateway_actor gateway, resend_rule rule);
  caf::typed_response_promise<work_report> work(const work_order& order);
  void on_wake();
  void on_drain();

 private:
  void send();
  void on_result(gateway_result& result);
  void rest(milliseconds pause);
  void report(gateway_result& result);
  [[nodiscard]] milliseconds time_left() const;

  worker_actor::stateful_pointer<worker_state> self_ = nullptr;
  gateway_actor gateway_;
  resend_rule rule_;
  work_order order_;
  caf::typed_response_promise<work_report> promise_;
  uint32_t sends_ = 0;
  bool resting_ = false;  ///< Between a failure and sending again.
  milliseconds used_{0};
};

worker_actor::behavior_type worker(worker_actor::stateful_pointer<worker_state> self, gateway_actor gateway,
                                   resend_rule rule);

}  // namespace cohort::actors
