// An attempt at a task: what it asked, how it ended, what it cost. A task's first request is the plan's; what differs
// in a later one is a fact of the attempt.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "messages/task.hpp"

namespace cohort::inline messages {

/// Why it was sent. The values are stored.
enum class attempt_kind : uint8_t {
  asked = 0,        ///< The first one of its task.
  asked_again = 1,  ///< An earlier one failed, or brought nothing usable.
  repair = 2,       ///< An earlier one brought a test that a check found broken.
};

/// How it ended. The values are stored.
enum class attempt_outcome : uint8_t {
  open = 0,         ///< Intent only: charged with its reservation.
  answered = 1,     ///< Charged with its cost.
  free = 2,         ///< Failed, and cannot be on the bill.
  unconfirmed = 3,  ///< Failed, and may be on the bill: charged with its reservation.
};

/// What an earlier attempt says to the next one, after a restart as well.
struct past_attempt {
  uint32_t number = 0;
  attempt_kind kind = attempt_kind::asked;
  attempt_outcome how = attempt_outcome::open;
  uint32_t max_tokens = 0;  ///< That it asked for; 0: not known, an older version stored it.
  stop_reason stop = stop_reason::unknown;
  std::string model;  ///< Full id that was asked.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, past_attempt& x) {
  return f(x.number, x.kind, x.how, x.max_tokens, x.stop, x.model);
}

/// An attempt may be sent only after its intent is on disk. After a crash an intent without an outcome
/// stays charged with its reservation.
struct intent {
  task_id task;
  uint32_t attempt = 0;  ///< Counts from 1 over the whole life of the task.
  uint64_t lease = 0;
  nano_dollars reserved;
  std::string model;   ///< Full id of the model that is asked.
  std::string holder;  ///< Who will send it: identity and process of a node; empty: this machine.
  attempt_kind kind = attempt_kind::asked;
  uint32_t max_tokens = 0;  ///< That it asks for.
  std::string prompt;       ///< Where it differs from the plan's; empty: as planned.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, intent& x) {
  return f(x.task, x.attempt, x.lease, x.reserved.count, x.model, x.holder, x.kind, x.max_tokens, x.prompt);
}

/// One attempt that brought a whole answer. A resend carries the same attempt number.
struct attempt_done {
  task_id task;
  uint32_t attempt = 0;
  uint64_t lease = 0;
  completion answer;
  nano_dollars cost;  ///< What the provider bills, from `answer.usage`.
  std::string model;  ///< Full id of the model that was asked.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_done& x) {
  return f(x.task, x.attempt, x.lease, x.answer, x.cost.count, x.model);
}

/// One attempt without a whole answer. `billing::unknown` keeps its reservation charged as unconfirmed.
struct attempt_failed {
  task_id task;
  uint32_t attempt = 0;
  uint64_t lease = 0;
  call_failure failure;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, attempt_failed& x) {
  return f(x.task, x.attempt, x.lease, x.failure);
}

/// Money of a run or of one batch.
struct spending {
  nano_dollars confirmed;    ///< Billed according to `usage`.
  nano_dollars unconfirmed;  ///< Reservations of attempts whose outcome is unknown.

  [[nodiscard]] constexpr nano_dollars total() const noexcept { return confirmed + unconfirmed; }
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, spending& x) {
  return f(x.confirmed.count, x.unconfirmed.count);
}

}  // namespace cohort::inline messages
