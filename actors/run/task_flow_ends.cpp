// What follows where an attempt or a step did not end well, and from an answer that comes late.

#include <fmt/format.h>

#include "actors/run/task_flow.hpp"

namespace cohort::actors {

void task_flow::follow(entry& task, const next_step& step, ec code, const std::string& reason) {
  const bool stops = step.what == next_step::action::stop_run;
  if (task.late) {
    validate_late(task);
    if (stops) stop(code, reason);
    return;
  }
  const bool again = step.what == next_step::action::again;
  if (again && task.used >= context_->settings.timeout)
    return end(task, task_state::failed, ec::timeout,
               "the task's time is used up; the last attempt ended with: " + reason);
  if (!again && !stops && code != ec::cancelled) return end(task, task_state::failed, code, reason);
  task.record.state = task_state::planned;
  task.lease = 0;
  task.phase = task_phase::paused;
  if (stops) return stop(code, reason);
  if (!again) return close_if_done();  // Stopped, not failed: it stays in the plan.
  if (step.falls_back) task.least_index = task.model_index + 1;
  if (step.max_tokens != 0) task.max_tokens = step.max_tokens;
  task.pause = step.pause;
  tell(event_kind::task_retried, task, code, reason);
  end(task, task_state::planned, code, reason);
}

void task_flow::end(entry& task, task_state state, ec code, const std::string& reason) {
  task.phase = task_phase::storing_end;
  task.end = {task.record.spec.id, state, code, reason};
  effects_.emplace_back(effect::store_end{task.end});
}

void task_flow::end_stored(entry& task) {
  if (task.late) return validate_late(task);
  task.lease = 0;
  task.record.state = task.end.state;
  if (task.end.state == task_state::planned) {
    task.phase = task_phase::paused;
    effects_.emplace_back(effect::wake{task.record.spec.id, task.pause});
    return;
  }
  task.phase = task_phase::ended;
  tell(event_kind::task_ended, task, task.end.code, task.end.reason);
  close_if_done();
}

/// The one path for everything that could not be done. An intent or an answer that is not on disk ends the run; the
/// reservation of what may have been sent stays charged, as the intent on disk says.
void task_flow::react(const event::refused& x) {
  auto& task = *find(x.task);
  const auto phase = task.phase;
  const auto back_to_plan = [&task] {
    task.phase = task_phase::paused;
    task.record.state = task_state::planned;
    task.lease = 0;
  };
  switch (phase) {
    case task_phase::reserving: --reserving_; break;
    case task_phase::storing_intent:
      effects_.emplace_back(effect::release_slot{task.lease});
      settle(task, {});
      break;
    case task_phase::storing_answer:
    case task_phase::storing_failure: settle(task, {{}, task.reserved}); break;
    case task_phase::validating: task.phase = task_phase::ended; return stop(x.why.code, x.why.message);
    case task_phase::delivering:
      if (is_unusable_answer(x.why.code)) return end(task, task_state::failed, x.why.code, x.why.message);
      // The answer is on disk: the next start writes the file without asking again.
      task.phase = task_phase::ended;
      if (stops_run(x.why.code) && x.why.code != ec::io) return stop(x.why.code, x.why.message);
      effects_.emplace_back(
          effect::delivery_problem{x.why.code, fmt::format("{}: {}", task.record.spec.label, x.why.message)});
      return close_if_done();
    default: break;
  }
  back_to_plan();
  stop(x.why.code, x.why.message);
}

void task_flow::react(const event::late& x) {
  if (closing_) return;  // The COORDINATOR sees in `batch_ended` that it was not taken in.
  ++late_answers_;
  auto* task = find(x.task);
  if (task == nullptr || task->late) return;
  if (task->record.state == task_state::answered || task->record.state == task_state::delivered) return;
  task->late = x.answer;
  switch (task->phase) {
    case task_phase::queued: std::erase(queue_, task); break;
    case task_phase::granted:
      std::erase(granted_, task);
      settle(*task, {});
      break;
    case task_phase::held:
    case task_phase::paused:
    case task_phase::ended: break;
    default: return;  // What is under way ends first; then the late answer counts.
  }
  validate_late(*task);
  pump();
}

}  // namespace cohort::actors
