// What follows from each event: the phases of a task, one function for each way from one to the next.

#include "actors/run/task_flow.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.hpp"

namespace cohort::actors {

namespace {

std::vector<model_info> all_models(const run_context& context) {
  std::vector<model_info> models{context.model};
  models.insert(models.end(), context.fallbacks.begin(), context.fallbacks.end());
  return models;
}

call_failure unsent(std::string why) {
  call_failure failure;
  failure.code = ec::cancelled;
  failure.message = std::move(why);
  failure.billed = billing::unbilled;
  return failure;
}

}  // namespace

task_flow::task_flow(context_ptr context, uint32_t batch, std::vector<task_record> tasks, uint32_t slots)
    : context_(std::move(context)),
      batch_(batch),
      slots_(slots),
      fallback_(all_models(*context_), context_->fallback_rest) {
  entries_.reserve(tasks.size());
  for (auto& task : tasks) {
    auto& made = entries_.emplace_back();
    made.record = std::move(task);
    made.shown = made.record.state;
    by_id_.emplace(made.record.spec.id, entries_.size() - 1);
    if (is_final(made.record.state)) made.phase = task_phase::ended;
    learn_from_past(made);
  }
  for (const auto wanted : {task_state::deferred, task_state::planned})
    for (auto& each : entries_)
      if (each.record.state == wanted) queue_.push_back(&each);
}

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

flow_effects task_flow::start(steady_time now, const std::vector<task_ended>& not_askable,
                              const std::vector<task_id>& in_doubt, bool may_hold) {
  now_ = now;
  effects_.clear();
  for (const auto& gone : not_askable) {
    auto* task = find(gone.task);
    std::erase(queue_, task);
    end(*task, gone.state, gone.code, gone.reason);
  }
  effect::hold held;
  for (const auto& id : in_doubt) {
    auto* task = find(id);
    if (!may_hold || task == nullptr || task->phase != task_phase::queued) continue;
    std::erase(queue_, task);
    task->phase = task_phase::held;
    held.tasks.push_back(id);
  }
  if (!held.tasks.empty()) effects_.emplace_back(std::move(held));
  for (auto& task : entries_) {
    if (task.record.state != task_state::answered) continue;
    completion stored;
    stored.text = std::move(task.record.answer);
    stored.stop = task.record.stop;
    validate(task, std::move(stored));
  }
  pump();
  close_if_done();
  return std::move(effects_);
}

flow_effects task_flow::on(steady_time now, const flow_event& what) {
  now_ = now;
  effects_.clear();
  std::visit([this](const auto& x) { react(x); }, what);
  return std::move(effects_);
}

/// Money is asked for a little ahead of the workers: enough to keep every slot fed, no more.
void task_flow::pump() {
  while (handing_out_ && !queue_.empty() && reserving_ + granted_.size() < slots_) {
    auto* task = queue_.front();
    queue_.pop_front();
    reserve(*task);
  }
  if (queue_.empty() && reserving_ == 0 && granted_.empty() && !reported_exhausted_) {
    reported_exhausted_ = true;
    effects_.emplace_back(effect::exhausted{run_limit_, veto_});
  }
}

void task_flow::reserve(entry& task) {
  task.phase = task_phase::reserving;
  ++reserving_;
  auto request = task.record.spec.request;
  request.max_tokens = task.max_tokens;
  task.model_index = fallback_.choose(now_, task.least_index, request);
  effects_.emplace_back(
      effect::reserve{task.record.spec.id, reservation_for(request_of(task), fallback_.model(task.model_index))});
}

void task_flow::react(const event::funds& x) {
  auto& task = *find(x.task);
  --reserving_;
  const bool granted = x.answer.code == ec::none;
  if (task.late) {
    task.reserved = granted ? x.amount : nano_dollars{};
    settle(task, {});
    validate_late(task);
  } else if (!granted) {
    run_limit_ = run_limit_ || x.answer.run_limit;
    veto_ = x.answer.reason;
    end(task, task_state::deferred, x.answer.code, x.answer.reason);
  } else {
    task.phase = task_phase::granted;
    task.reserved = x.amount;
    granted_.push_back(&task);
    if (handing_out_)
      effects_.emplace_back(effect::want_slot{});
    else
      stop_handing_out();
  }
  pump();
  close_if_done();
}

void task_flow::react(const event::slot& x) {
  if (granted_.empty()) {
    effects_.emplace_back(effect::release_slot{x.lease});
    return;
  }
  auto& task = *granted_.front();
  granted_.pop_front();
  task.phase = task_phase::storing_intent;
  task.lease = x.lease;
  ++task.record.attempts;
  if (task.model_index != 0) task.models[task.record.attempts] = task.model_index;
  task.reservations[task.record.attempts] = task.reserved;
  intent what;
  what.task = task.record.spec.id;
  what.attempt = task.record.attempts;
  what.lease = x.lease;
  what.reserved = task.reserved;
  what.model = fallback_.model(task.model_index).id;
  what.holder = x.holder;
  what.kind = what.attempt == 1 ? attempt_kind::asked : attempt_kind::asked_again;
  what.max_tokens = request_of(task).max_tokens;
  effects_.emplace_back(effect::store_intent{std::move(what)});
  pump();
}

void task_flow::react(const event::stored& x) {
  auto& task = *find(x.task);
  switch (task.phase) {
    case task_phase::storing_intent: return send(task);
    case task_phase::storing_answer: return answer_stored(task);
    case task_phase::storing_failure: return failure_stored(task);
    case task_phase::storing_end: return end_stored(task);
    default: return;
  }
}

/// While the intent went to disk the run may have been told to stop, or the answer may have come from elsewhere: then
/// nothing is sent, and nothing is owed.
void task_flow::send(entry& task) {
  if (!handing_out_ || task.late) {
    effects_.emplace_back(effect::release_slot{task.lease});
    return failed(task, unsent(task.late ? "an answer came before the request was sent"
                                         : "the run stopped before the request was sent"));
  }
  task.phase = task_phase::asking;
  tell(event_kind::task_started, task);
  effects_.emplace_back(effect::ask{{task.lease, task.record.spec.id, task.record.attempts, request_of(task),
                                     context_->settings.timeout - task.used,
                                     fallback_.has_next(task.model_index, task.record.spec.request)}});
}

void task_flow::react(const event::reported& x) {
  const auto& report = x.report;
  auto* task = find(report.task);
  effects_.emplace_back(effect::release_slot{report.lease});
  const bool stale = task == nullptr || task->lease != report.lease || task->phase != task_phase::asking;
  if (stale) {
    // The lease was lost before: a late answer adds to the cost and to nothing else.
    if (task != nullptr && report.answered) effects_.emplace_back(effect::store_answer{priced(*task, report), true});
    return;
  }
  task->used += report.took;
  task->answered_by = report.lease;
  if (report.answered)
    answered(*task, report);
  else
    failed(*task, report.failure);
}

void task_flow::react(const event::lost& x) {
  const auto holder = std::find_if(entries_.begin(), entries_.end(), [&](const entry& one) {
    return one.lease == x.lease && one.phase == task_phase::asking;
  });
  if (holder == entries_.end()) return;
  call_failure gone;
  gone.code = ec::worker_lost;
  gone.message = "the worker was lost; its request may have been billed";
  gone.retry = true;
  gone.billed = billing::unknown;
  failed(*holder, gone);
}

void task_flow::answered(entry& task, const work_report& report) {
  task.phase = task_phase::storing_answer;
  task.record.state = task_state::answered;
  fallback_.answered(task.model_index);
  notice_model(task, fallback_.model(task.model_index).id, report.answer.model);
  auto done = priced(task, report);
  task.answer = report.answer;
  task.cost = done.cost;
  effects_.emplace_back(effect::store_answer{std::move(done)});
}

void task_flow::answer_stored(entry& task) {
  effects_.emplace_back(effect::acknowledge{task.answered_by, task.record.spec.id, task.record.attempts});
  settle(task, {task.cost, {}});
  tell(event_kind::spent, task, ec::none, {}, task.cost);
  if (task.late) return validate_late(task);  // That one was stored before and is the task's answer.
  validate(task, std::move(task.answer));
}

void task_flow::failed(entry& task, const call_failure& failure) {
  task.phase = task_phase::storing_failure;
  task.failure = failure;
  if (failure.billed == billing::unknown) ++task.unconfirmed;
  if (failure.code == ec::overloaded) fallback_.overloaded(now_, task.model_index, failure.retry_after);
  // At once: what is handed out while the failure goes to disk would fail in the same way.
  if (stops_run(failure.code)) stop(failure.code, failure.message);
  effects_.emplace_back(effect::store_failure{{task.record.spec.id, task.record.attempts, task.lease, task.failure}});
}

void task_flow::failure_stored(entry& task) {
  const auto failure = std::move(task.failure);
  if (task.answered_by != 0)
    effects_.emplace_back(effect::acknowledge{task.answered_by, task.record.spec.id, task.record.attempts});
  task.answered_by = 0;
  settle(task, failure.billed == billing::unknown ? spending{{}, task.reserved} : spending{});
  const bool has_next = fallback_.has_next(task.model_index, task.record.spec.request);
  const bool kept = failure.code == ec::malformed_answer && !failure.text.empty();
  follow(task, context_->outcomes.after_failure(failure, task.unconfirmed, has_next), failure.code,
         kept ? failure.message + fmt::format("; its text is kept in .claude-testing/unusable/{}-{}.txt",
                                              to_string(task.record.spec.id), task.record.attempts)
              : failure.message);
}

void task_flow::validate(entry& task, completion answer) {
  task.phase = task_phase::validating;
  task.answered_by = 0;
  const auto id = task.record.spec.id;
  if (const auto by_stop = class_of(answer.stop); by_stop != ec::none)
    return react(event::validated{id, by_stop, std::string{sentence(by_stop)}});
  effects_.emplace_back(effect::validate{id, std::move(answer.text)});
}

void task_flow::validate_late(entry& task) {
  auto answer = std::move(*task.late);
  task.late.reset();
  task.record.state = task_state::answered;
  validate(task, std::move(answer));
}

void task_flow::react(const event::validated& x) {
  auto& task = *find(x.task);
  if (x.code == ec::none) {
    task.phase = task_phase::delivering;
    effects_.emplace_back(effect::deliver{x.task, x.text});
    return;
  }
  if (stops_run(x.code)) {  // It says nothing about the answer, which is kept for the next start.
    task.phase = task_phase::ended;
    return stop(x.code, x.text);
  }
  ++task.unusable;
  follow(task, context_->outcomes.after_answer(x.code, task.unusable, task.max_tokens), x.code, x.text);
}

void task_flow::react(const event::delivered& x) {
  auto& task = *find(x.what.task);
  task.phase = task_phase::ended;
  task.record.state = task_state::delivered;
  tell(event_kind::task_ended, task, ec::none, x.what.path);
  if (x.what.conflict_copy)
    tell(
        event_kind::warning, task, ec::none,
        fmt::format("a file that is not ours stands where the result of '{}' belongs; it was left alone, the result is "
                    "in {}",
                    task.record.spec.label, x.what.path));
  close_if_done();
}

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

void task_flow::react(const event::released& x) {
  auto* task = find(x.task);
  if (task != nullptr && task->phase == task_phase::held) requeue(*task);
}

void task_flow::react(const event::awake& x) {
  auto* task = find(x.task);
  // A late answer may have come during the pause: then there is nothing to ask any more.
  if (task != nullptr && task->phase == task_phase::paused) requeue(*task);
}

void task_flow::requeue(entry& task) {
  reported_exhausted_ = false;
  if (handing_out_) {
    task.phase = task_phase::queued;
    queue_.push_back(&task);
  }
  pump();
  close_if_done();
}

void task_flow::react(const event::slots& x) {
  slots_ = x.total;
  pump();
}

void task_flow::react(const event::drained&) {
  stop_handing_out();
  pump();
  close_if_done();
}

/// Queued, paused and granted tasks stay as the ledger has them.
void task_flow::stop_handing_out() {
  handing_out_ = false;
  for (auto* task : granted_) {
    settle(*task, {});
    task->phase = task_phase::queued;
  }
  granted_.clear();
  queue_.clear();
}

void task_flow::stop(ec code, const std::string& message) {
  effects_.emplace_back(effect::stop{code, message});
  react(event::drained{});
}

void task_flow::close_if_done() {
  if (closing_ || !done()) return;
  closing_ = true;
  effects_.emplace_back(effect::close{});
}

bool task_flow::done() const noexcept {
  return std::all_of(entries_.begin(), entries_.end(), [this](const entry& task) {
    const bool waits =
        task.phase == task_phase::held || task.phase == task_phase::queued || task.phase == task_phase::paused;
    return task.phase == task_phase::ended || (waits && !handing_out_);
  });
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

void task_flow::settle(entry& task, const spending& spent) {
  effects_.emplace_back(effect::settle{task.reserved, spent});
  task.reserved = {};
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

task_flow::entry* task_flow::find(const task_id& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

task_phase task_flow::phase_of(const task_id& id) const { return entries_[by_id_.at(id)].phase; }

const task_spec* task_flow::spec(const task_id& id) const {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second].record.spec;
}

state_counts task_flow::counts() const noexcept {
  state_counts sum;
  for (const auto& task : entries_) ++sum.of(task.record.state);
  return sum;
}

}  // namespace cohort::actors
