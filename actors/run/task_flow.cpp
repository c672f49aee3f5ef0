// What follows from each event: the phases of a task, one function for each way from one to the next.

#include "actors/run/task_flow.hpp"

#include <algorithm>

#include <fmt/format.h>

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

void task_flow::settle(entry& task, const spending& spent) {
  effects_.emplace_back(effect::settle{task.reserved, spent});
  task.reserved = {};
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
