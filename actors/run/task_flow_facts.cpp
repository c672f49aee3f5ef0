// What the flow knows of a task besides its phase: what earlier attempts found out, what the next one asks with, what
// an answer costs, and what is shown.

#include <algorithm>

#include <fmt/format.h>

#include "actors/run/task_flow.hpp"
#include "base/log.hpp"

namespace cohort::actors {

/// What earlier attempts found out holds after a restart, too: how much room the answer needs, and how often the task
/// was asked in vain.
void task_flow::learn_from_past(entry& task) {
  task.max_tokens = task.record.spec.request.max_tokens;
  uint32_t too_few = 0;  // What the last answer was cut off at.
  for (const auto& past : task.record.past) {
    task.max_tokens = std::max(task.max_tokens, past.max_tokens);
    if (past.how == attempt_outcome::unconfirmed) ++task.unconfirmed;
    if (past.how == attempt_outcome::answered) {
      ++task.unusable;
      too_few = class_of(past.stop) == ec::cut_off ? std::max(past.max_tokens, task.record.spec.request.max_tokens) : 0;
    }
  }
  if (task.record.state == task_state::answered) {
    if (task.unusable > 0) --task.unusable;  // The last answer is yet to be read.
    return;
  }
  if (too_few == 0) return;
  const auto step = context_->outcomes.after_answer(ec::cut_off, task.unusable, too_few);
  task.max_tokens = std::max(task.max_tokens, step.max_tokens);
}

completion_request task_flow::request_of(const entry& task) const {
  auto request = task.record.spec.request;
  request.max_tokens = task.max_tokens;
  return fallback_.request_for(request, task.model_index);
}

/// Once for each model in a batch. A dated name of the asked model is that model.
void task_flow::notice_model(const entry& task, const std::string& asked, const std::string& answered_by) {
  constexpr size_t most_reported = 8;
  if (answered_by.empty() || answered_by.starts_with(asked) || other_models_.size() >= most_reported) return;
  if (!other_models_.insert(answered_by).second) return;
  tell(event_kind::warning, *find(task.record.spec.id), ec::none,
       fmt::format("the model {} was asked and {} says that it answered; the cost is that of the model that was asked",
                   asked, answered_by));
}

/// What the answer costs, and why, if its usage is not believed. Each kind of doubt is told once in a batch.
attempt_done task_flow::priced(entry& task, const work_report& report) {
  const auto other = task.models.find(report.attempt);
  const auto& model = fallback_.model(other == task.models.end() ? 0 : other->second);
  const bool present = report.attempt == task.record.attempts;
  const auto asked = request_of(task);
  const auto known = task.reservations.find(report.attempt);
  const auto reserved = known == task.reservations.end() ? reservation_for(asked, model) : known->second;
  const auto price = price_of(report.answer, present ? std::optional{size_of(asked)} : std::nullopt, model, reserved);
  if (price.doubt != usage_doubt::none) {
    const auto text = fmt::format(
        "the usage that came with an answer of {} is not believed ({}); it is charged with its reservation of {}",
        model.id, sentence(price.doubt), exact_dollars(price.cost));
    if (doubts_.insert(price.doubt).second)
      tell(event_kind::warning, task, ec::none, text);
    else
      log_warning("{}: {}", task.record.spec.label, text);
  }
  attempt_done done{report.task, report.attempt, report.lease, report.answer, price.cost, model.id};
  done.answer.usage = price.usage;
  return done;
}

void task_flow::tell(event_kind kind, entry& task, ec code, std::string text, nano_dollars cost) {
  run_event event;
  event.kind = kind;
  event.batch = batch_;
  event.label = task.record.spec.label;
  event.task = task.record.spec.id;
  event.state = task.record.state;
  event.before = task.shown;
  event.code = code;
  event.text = std::move(text);
  event.attempt = task.record.attempts;
  event.model = fallback_.model(task.model_index).id;
  event.cost = cost;
  if (kind == event_kind::task_ended) task.shown = task.record.state;
  effects_.emplace_back(effect::tell{std::move(event)});
}

}  // namespace cohort::actors
