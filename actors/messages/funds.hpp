// What BATCH and COST MONITOR say to each other about money.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.hpp"
#include "base/money.hpp"
#include "messages/run.hpp"
#include "messages/task_id.hpp"

namespace cohort::actors {

/// Asks to reserve the most that an attempt can be billed.
struct funds_wanted {
  uint32_t batch = 0;
  task_id task;
  nano_dollars amount;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, funds_wanted& x) {
  return f(x.batch, x.task, x.amount.count);
}

/// `code` is `ec::none` if the amount is reserved, else `ec::limit_reached` or `ec::limit_too_low`.
struct funds_answer {
  ec code = ec::none;
  bool run_limit = false;  ///< The veto comes from the run's budget, not from the batch's limit.
  std::string reason;      ///< For people: which limit, how much is spent, the least limit that would work.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, funds_answer& x) {
  return f(x.code, x.run_limit, x.reason);
}

/// Ends a reservation and says what it turned into; all zero if nothing was spent.
struct settlement {
  uint32_t batch = 0;
  nano_dollars reserved;
  spending spent;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, settlement& x) {
  return f(x.batch, x.reserved.count, x.spent);
}

/// What the COST MONITOR shows.
struct funds_status {
  spending spent;
  nano_dollars reserved;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, funds_status& x) {
  return f(x.spent, x.reserved.count);
}

}  // namespace cohort::actors
