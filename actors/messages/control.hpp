// What COORDINATOR, BATCH, WORKER POOL and RECORDER tell each other about the course of the run.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "messages/run.hpp"

namespace cohort::actors {

/// Starts the run; the reply comes when it has ended.
struct run_start {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, run_start&) {
  return f();
}

/// Hand out nothing more. What is in flight is finished and stored.
struct drain {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, drain&) {
  return f();
}

/// Abandon what is in flight; it stays charged as unconfirmed.
struct stop_now {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_now&) {
  return f();
}

/// From a BATCH: every task of it was handed out or has ended.
struct batch_exhausted {
  uint32_t batch = 0;
  bool run_limit = false;  ///< A task was vetoed by the run's budget.
  std::string veto;        ///< The last veto's reason; empty if there was none.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_exhausted& x) {
  return f(x.batch, x.run_limit, x.veto);
}

/// From a BATCH: nothing of it is under way any more.
struct batch_ended {
  uint32_t batch = 0;
  state_counts tasks;
  uint32_t late_answers = 0;  ///< `answer_arrived` that it took in; what came after its end is lost on it.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_ended& x) {
  return f(x.batch, x.tasks, x.late_answers);
}

/// Something that concerns the whole run went wrong: stop handing out work.
struct stop_run {
  ec code = ec::none;
  std::string message;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stop_run& x) {
  return f(x.code, x.message);
}

/// One task's result cannot be put in its place. Its answer stays on disk; the run goes on and ends as failed.
struct delivery_failed {
  ec code = ec::none;
  std::string message;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, delivery_failed& x) {
  return f(x.code, x.message);
}

/// From the WORKER POOL: slots are free and nobody wants one.
struct slots_idle {
  uint32_t free = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, slots_idle& x) {
  return f(x.free);
}

}  // namespace cohort::actors
