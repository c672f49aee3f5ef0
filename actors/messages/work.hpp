// What BATCH, WORKER POOL and WORKER say to each other.
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "messages/request.hpp"
#include "messages/task_id.hpp"

namespace cohort::actors {

/// One attempt at one task, handed to a WORKER under a lease.
struct work_order {
  uint64_t lease = 0;
  task_id task;
  uint32_t attempt = 0;
  completion_request request;
  milliseconds timeout{0};     ///< For this attempt with its unbilled retries; time held back by limits does not count.
  bool may_fall_back = false;  ///< Another model can take the task: do not wait for this one while it is overloaded.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, work_order& x) {
  return f(x.lease, x.task, x.attempt, x.request, x.timeout, x.may_fall_back);
}

/// How an attempt ended: exactly one of `answer` and `failure` has a meaning.
struct work_report {
  uint64_t lease = 0;
  task_id task;
  uint32_t attempt = 0;
  bool answered = false;
  completion answer;
  call_failure failure;
  uint32_t sends = 0;    ///< Calls that this attempt took, retries of unbilled failures included.
  milliseconds took{0};  ///< Of the task's time; without what limits held back.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, work_report& x) {
  return f(x.lease, x.task, x.attempt, x.answered, x.answer, x.failure, x.sends, x.took);
}

/// A call that the GATEWAY is to make.
struct gateway_call {
  completion_request request;
  milliseconds timeout{0};
  bool may_fall_back = false;  ///< While the model is overloaded, answer so at once instead of holding the call.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gateway_call& x) {
  return f(x.request, x.timeout, x.may_fall_back);
}

/// Gives a slot back to the WORKER POOL.
struct lease_return {
  uint64_t lease = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, lease_return& x) {
  return f(x.lease);
}

/// The worker behind a lease died or fell silent; its attempt may have been billed.
struct lease_lost {
  uint64_t lease = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, lease_lost& x) {
  return f(x.lease);
}

}  // namespace cohort::actors
