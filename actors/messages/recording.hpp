// What COORDINATOR and BATCH ask of the RECORDER, besides the records of messages/run.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "messages/run.hpp"

namespace cohort::actors {

/// It is on disk.
struct recorded {
  bool fresh = true;  ///< False: it was there before.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, recorded& x) {
  return f(x.fresh);
}

/// Write the target of an answered task, from all its parts that have answers.
struct deliver {
  task_id task;
  uint32_t batch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, deliver& x) {
  return f(x.task, x.batch);
}

/// Load a batch's tasks.
struct open_batch {
  uint32_t batch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, open_batch& x) {
  return f(x.batch);
}

/// A loaded batch.
struct batch_contents {
  uint32_t batch = 0;
  std::vector<task_record> tasks;
  std::vector<task_ended> not_askable;  ///< Waiting tasks of it whose source is gone or changed.
  std::vector<task_id> in_doubt;        ///< Waiting tasks of it that nodes may hold an answer for.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, batch_contents& x) {
  return f(x.batch, x.tasks, x.not_askable, x.in_doubt);
}

/// Every task of the batch is done for now: sync its files and publish the view.
struct close_batch {
  uint32_t batch = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, close_batch& x) {
  return f(x.batch);
}

/// The run ends for now: store its status, sync, publish the view.
struct close_run {
  run_status status = run_status::finished;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, close_run& x) {
  return f(x.status);
}

}  // namespace cohort::actors
