// The life of a batch's tasks as a pure machine: events in, effects out. No actors, no clock, no disk.
//
//   held (somebody may still bring its answer) ──> queued
//   queued ──> reserving ──> granted ──> storing_intent ──> asking ──┬─> storing_answer ──> validating ──> delivering
//   ──> ended
//     ^                                                              └─> storing_failure
//     └──────────────── paused <── (another attempt) <── storing_failure, validating
//
// The order that must hold is the order of the phases: reserve, intent on disk, send; answer on disk, settle, validate,
// write. A new stage is a phase, an event and an effect here, and a partner in BATCH.
// Invariant: a task holds a reservation exactly from `granted` to the end of `storing_answer` or `storing_failure`.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "actors/messages/funds.hpp"
#include "actors/messages/work.hpp"
#include "actors/run/model_fallback.hpp"
#include "actors/run/run_context.hpp"
#include "messages/events.hpp"
#include "messages/priced_answer.hpp"
#include "messages/run.hpp"

namespace cohort::actors {

enum class task_phase : uint8_t {
  held,             ///< Somebody may have its answer: it is not asked for.
  queued,           ///< Waits for its turn.
  reserving,        ///< The COST MONITOR is asked for money.
  granted,          ///< Money is reserved; waits for a slot.
  storing_intent,   ///< The intent goes to disk.
  asking,           ///< A worker has it.
  storing_answer,   ///< The answer goes to disk.
  storing_failure,  ///< The failed attempt goes to disk.
  validating,       ///< The answer is read.
  delivering,       ///< Its file is written.
  storing_end,      ///< How it ended, or that it is asked again, goes to disk.
  paused,           ///< Waits before another attempt.
  ended,
};

/// Everything that a task's flow can ask of the actors around it.
namespace effect {
struct reserve {
  task_id task;
  nano_dollars amount;
};
struct want_slot {};
struct release_slot {
  uint64_t lease = 0;
};
struct settle {
  nano_dollars reserved;
  spending spent;
};
struct store_intent {
  intent what;
};
struct ask {
  work_order order;
};
struct store_answer {
  attempt_done what;
  bool late = false;  ///< Of a lease that was lost before: nothing waits for it.
};
struct store_failure {
  attempt_failed what;
};
struct store_end {
  task_ended what;
};
/// What the worker behind a lease reported is on disk; only a node keeps it until it hears so.
struct acknowledge {
  uint64_t lease = 0;
  task_id task;
  uint32_t attempt = 0;
};
struct validate {
  task_id task;
  std::string text;
};
struct deliver {
  task_id task;
  std::string text;
};
struct wake {
  task_id task;
  milliseconds pause{0};
};
struct hold {
  std::vector<task_id> tasks;
};
struct tell {
  run_event event;
};
struct stop {
  ec code = ec::none;
  std::string message;
};
struct delivery_problem {
  ec code = ec::none;
  std::string message;
};
struct exhausted {
  bool run_limit = false;
  std::string veto;
};
struct close {};
}  // namespace effect

using flow_effect =
    std::variant<effect::reserve, effect::want_slot, effect::release_slot, effect::settle, effect::store_intent,
                 effect::ask, effect::store_answer, effect::store_failure, effect::store_end, effect::acknowledge,
                 effect::validate, effect::deliver, effect::wake, effect::hold, effect::tell, effect::stop,
                 effect::delivery_problem, effect::exhausted, effect::close>;
using flow_effects = std::vector<flow_effect>;

/// What happened. Of each, the task is named where it is not in the message.
namespace event {
struct funds {
  task_id task;
  nano_dollars amount;
  funds_answer answer;
};
struct slot {
  uint64_t lease = 0;
  std::string holder;  ///< Identity and process of the node; empty: this machine.
};
struct stored {
  task_id task;
};
struct reported {
  work_report report;
};
struct lost {
  uint64_t lease = 0;
};
struct validated {
  task_id task;
  ec code = ec::none;  ///< `ec::none`: `text` is usable. Else `text` says why it is not.
  std::string text;
};
struct delivered {
  delivery what;
};
/// What the last effect for the task asked for was refused.
struct refused {
  task_id task;
  error why;
};
struct late {
  task_id task;
  completion answer;
};
struct released {
  task_id task;
};
struct awake {
  task_id task;
};
struct slots {
  uint32_t total = 0;
};
struct drained {};
}  // namespace event

using flow_event = std::variant<event::funds, event::slot, event::stored, event::reported, event::lost,
                                event::validated, event::delivered, event::refused, event::late, event::released,
                                event::awake, event::slots, event::drained>;

class task_flow {
 public:
  task_flow(context_ptr context, uint32_t batch, std::vector<task_record> tasks, uint32_t slots);

  /// To be called once. `not_askable`: waiting tasks whose source is gone or changed. `in_doubt`: waiting tasks that
  /// nodes may hold an answer for; they are held only if `may_hold`.
  [[nodiscard]] flow_effects start(steady_time now, const std::vector<task_ended>& not_askable,
                                   const std::vector<task_id>& in_doubt, bool may_hold);

  [[nodiscard]] flow_effects on(steady_time now, const flow_event& what);

  [[nodiscard]] task_phase phase_of(const task_id& id) const;
  [[nodiscard]] state_counts counts() const noexcept;
  [[nodiscard]] uint32_t late_answers() const noexcept { return late_answers_; }
  /// Of the task, for as long as the flow lives; null if it is not of this batch.
  [[nodiscard]] const task_spec* spec(const task_id& id) const;

 private:
  struct entry {
    task_record record;
    task_phase phase = task_phase::queued;
    nano_dollars reserved;
    uint64_t lease = 0;                             ///< 0: none.
    uint64_t answered_by = 0;                       ///< The lease to acknowledge.
    uint32_t max_tokens = 0;                        ///< Of the next attempt.
    uint32_t unconfirmed = 0;                       ///< Attempts with unknown billing.
    uint32_t unusable = 0;                          ///< Paid answers that were not usable.
    task_state shown = task_state::planned;         ///< The state that PROGRESS counts it in.
    milliseconds used{0};                           ///< Of the task's time, by finished attempts of this start.
    size_t least_index = 0;                         ///< Models before this one are not asked any more.
    size_t model_index = 0;                         ///< Of the present attempt.
    std::map<uint32_t, size_t> models;              ///< Of this start's attempts that were not of the plan's own model.
    std::map<uint32_t, nano_dollars> reservations;  ///< Of this start's attempts.
    std::optional<completion> late;                 ///< A stored answer that came while something else was under way.
    completion answer;                              ///< While it is being stored.
    nano_dollars cost;                              ///< Of that answer.
    call_failure failure;                           ///< While it is being stored.
    task_ended end;                                 ///< While it is being stored.
    milliseconds pause{0};                          ///< Before the next attempt; negative: none follows.
  };

  void react(const event::funds& x);
  void react(const event::slot& x);
  void react(const event::stored& x);
  void react(const event::reported& x);
  void react(const event::lost& x);
  void react(const event::validated& x);
  void react(const event::delivered& x);
  void react(const event::refused& x);
  void react(const event::late& x);
  void react(const event::released& x);
  void react(const event::awake& x);
  void react(const event::slots& x);
  void react(const event::drained& x);

  void pump();
  void reserve(entry& task);
  void send(entry& task);
  void answer_stored(entry& task);
  void failure_stored(entry& task);
  void end_stored(entry& task);
  void answered(entry& task, const work_report& report);
  void failed(entry& task, const call_failure& failure);
  void validate(entry& task, completion answer);
  void validate_late(entry& task);
  void follow(entry& task, const next_step& step, ec code, const std::string& reason);
  void end(entry& task, task_state state, ec code, const std::string& reason);
  void requeue(entry& task);
  void stop(ec code, const std::string& message);
  void stop_handing_out();
  void close_if_done();

  void learn_from_past(entry& task);
  [[nodiscard]] completion_request request_of(const entry& task) const;
  [[nodiscard]] attempt_done priced(entry& task, const work_report& report);
  void notice_model(const entry& task, const std::string& asked, const std::string& answered);
  void settle(entry& task, const spending& spent);
  void tell(event_kind kind, entry& task, ec code = ec::none, std::string text = {}, nano_dollars cost = {});
  [[nodiscard]] entry* find(const task_id& id);
  [[nodiscard]] bool done() const noexcept;

  context_ptr context_;
  uint32_t batch_ = 0;
  uint32_t slots_ = 0;
  std::vector<entry> entries_;
  std::unordered_map<task_id, size_t> by_id_;
  std::deque<entry*> queue_;
  std::deque<entry*> granted_;
  size_t reserving_ = 0;
  model_fallback fallback_;
  bool handing_out_ = true;
  bool run_limit_ = false;
  bool reported_exhausted_ = false;
  bool closing_ = false;
  uint32_t late_answers_ = 0;
  std::string veto_;
  std::set<usage_doubt> doubts_;        ///< That were told.
  std::set<std::string> other_models_;  ///< That answered without being asked, and were named to the user.
  steady_time now_{};                   ///< Of the present event.
  flow_effects effects_;                ///< Of the present event.
};

}  // namespace cohort::actors
