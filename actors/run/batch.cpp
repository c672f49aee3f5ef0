// BATCH. Each function is one step of a task's life; the next step hangs on the reply.
// Order that must hold: reserve, intent on disk, send; answer on disk, settle, judge, write the file.

#include "actors/run/batch.hpp"

#include <fmt/format.h>
#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

// Replies of local services have no time limit of their own: a batch may wait for money or a full disk for
// as long as it takes. The services are linked to the COORDINATOR, so a dead one ends the run.
constexpr auto no_timeout = caf::infinite;

}  // namespace

void batch_state::start(batch_actor::stateful_pointer<batch_state> self, context_ptr context, batch_partners partners,
                        batch_contents contents, uint32_t slots) {
  self_ = self;
  slots_ = slots;
  context_ = std::move(context);
  partners_ = std::move(partners);
  index_ = contents.batch;
  board_ = std::make_shared<task_board>(std::move(contents.tasks));
  std::vector<model_info> models{context_->model};
  models.insert(models.end(), context_->fallbacks.begin(), context_->fallbacks.end());
  fallback_ = std::make_unique<model_fallback>(std::move(models), context_->fallback_rest);
  for (const auto& ended : contents.not_askable) {
    auto& entry = *board_->find(ended.task);
    board_->withdraw(entry);
    end(entry, ended.state, ended.code, ended.reason);
  }
  wait_for_nodes(contents.in_doubt);
  for (auto* entry : board_->answered()) {
    completion stored;
    stored.text = std::move(entry->record.answer);
    stored.stop = entry->record.stop;
    validate(entry->record.spec.id, std::move(stored));
  }
  pump();
  finish_if_done();
}

/// A node may have an answer to these, or be about to: they are asked again only when the HUB says that none comes.
void batch_state::wait_for_nodes(const std::vector<task_id>& in_doubt) {
  if (!partners_.hub || in_doubt.empty()) return;
  tasks_in_doubt request{self_, {}};
  for (const auto& id : in_doubt) {
    auto* entry = board_->find(id);
    if (entry == nullptr || entry->phase != task_phase::queued) continue;
    board_->hold(*entry);
    request.tasks.push_back(id);
  }
  if (!request.tasks.empty()) self_->send(partners_.hub, std::move(request));
}

void batch_state::on_released(const task_released& released) {
  auto* entry = board_->find(released.task);
  if (entry == nullptr || entry->phase != task_phase::held) return;
  on_retry(released.task);
}

void batch_state::on_slots(const slots_changed& slots) {
  slots_ = slots.total;
  pump();
}

void batch_state::on_late(const answer_arrived& late) {
  auto* entry = board_->find(late.task);
  if (closing_) return;  // The COORDINATOR sees in `batch_ended` that it was not taken in.
  ++late_answers_;
  if (entry == nullptr) return;
  const bool has_one = entry->record.state == task_state::answered || entry->record.state == task_state::delivered;
  if (has_one || entry->late) return;
  entry->late = late.answer;
  const bool granted = entry->phase == task_phase::granted;
  if (!board_->divert(*entry)) return;  // What is under way ends first; then the late answer counts.
  if (granted) settle(*entry, {});
  validate_late(*entry);
  pump();
}

void batch_state::validate_late(board_entry& entry) {
  auto answer = std::move(*entry.late);
  entry.late.reset();
  entry.phase = task_phase::storing;
  entry.record.state = task_state::answered;
  validate(entry.record.spec.id, std::move(answer));
}

void batch_state::pump() {
  // Money is asked for a little ahead of the workers: enough to keep every slot fed, no more.
  while (board_->waiting_for_worker() < slots_) {
    auto* entry = board_->next_queued();
    if (entry == nullptr) break;
    ask_for_money(*entry);
  }
  if (board_->exhausted() && !reported_exhausted_) {
    reported_exhausted_ = true;
    self_->send(partners_.coordinator, batch_exhausted{index_, run_limit_, veto_});
  }
}

void batch_state::ask_for_money(board_entry& entry) {
  const auto& request = entry.record.spec.request;
  entry.model_index = fallback_->choose(self_->clock().now(), entry.least_level, request);
  const auto amount =
      reservation_for(fallback_->request_for(request, entry.model_index), fallback_->model(entry.model_index));
  const auto id = entry.record.spec.id;
  self_->request(partners_.money, no_timeout, funds_wanted{index_, id, amount})
      .then([this, id, amount](const funds_answer& answer) { on_funds(id, amount, answer); },
            [this](const caf::error& problem) { order_stop(ec::worker_lost, from_caf(problem).message); });
}

void batch_state::on_funds(const task_id& id, nano_dollars amount, const funds_answer& answer) {
  auto& entry = *board_->find(id);
  if (entry.late) {
    board_->end_asking(entry);
    entry.reserved = answer.code == ec::none ? amount : nano_dollars{};
    settle(entry, {});
    validate_late(entry);
  } else if (answer.code != ec::none) {
    board_->veto(entry);
    run_limit_ = run_limit_ || answer.run_limit;
    veto_ = answer.reason;
    end(entry, task_state::deferred, answer.code, answer.reason);
  } else {
    board_->grant(entry, amount);
    if (board_->handing_out()) {
      self_->send(partners_.pool, slots_wanted{index_, 1, self_});
    } else {
      for (auto* held : board_->stop_handing_out()) settle(*held, {});
    }
  }
  pump();
  finish_if_done();
}

void batch_state::on_slot(const slot_lease& slot) {
  auto* entry = board_->next_granted();
  if (entry == nullptr) {
    give_back(slot.lease);
    return;
  }
  send(*entry, slot);
  pump();
}

void batch_state::send(board_entry& entry, const slot_lease& slot) {
  entry.lease = slot.lease;
  ++entry.record.attempts;
  if (entry.model_index != 0) entry.levels[entry.record.attempts] = entry.model_index;
  entry.reservations[entry.record.attempts] = entry.reserved;
  const auto id = entry.record.spec.id;
  intent intent{id,       entry.record.attempts, slot.lease, entry.reserved, fallback_->model(entry.model_index).id,
                slot.node};
  self_->request(partners_.recorder, no_timeout, std::move(intent))
      .then([this, id, slot](const recorded&) { hand_over(id, slot); },
            [this, id, slot](const caf::error& problem) {
              auto& failed = *board_->find(id);
              give_back(slot.lease);
              settle(failed, {});
              board_->pause(failed);
              const auto cause = from_caf(problem);
              order_stop(cause.code, cause.message);
            });
}

void batch_state::hand_over(const task_id& id, const slot_lease& slot) {
  auto& entry = *board_->find(id);
  if (!board_->handing_out() || entry.late) {
    // While the intent went to disk the run was told to stop, or a node brought the answer: nothing was sent, so
    // nothing is owed.
    give_back(slot.lease);
    call_failure unsent;
    unsent.code = ec::cancelled;
    unsent.message =
        entry.late ? "an answer came before the request was sent" : "the run stopped before the request was sent";
    unsent.billed = billing::unbilled;
    on_failure(entry, unsent, {});
    return;
  }
  tell(event_kind::task_started, entry);
  const auto& planned = entry.record.spec.request;
  work_order order{slot.lease,
                   id,
                   entry.record.attempts,
                   fallback_->request_for(planned, entry.model_index),
                   context_->settings.timeout - entry.used,
                   fallback_->has_next(entry.model_index, planned)};
  self_->request(slot.worker, no_timeout, std::move(order))
      .then([this, from = slot.worker](const work_report& report) { on_report(report, from); },
            [this, lease = slot.lease](const caf::error&) { on_lost({lease}); });
}

void batch_state::tell_stored(const worker_actor& from, const task_id& id, uint32_t attempt) {
  if (from) self_->send(from, report_stored{id, attempt});
}

void batch_state::on_report(const work_report& report, const worker_actor& from) {
  auto* entry = board_->find(report.task);
  give_back(report.lease);
  const bool stale = entry == nullptr || entry->lease != report.lease;
  if (stale) {
    // The lease was lost before: a late answer adds to the cost and to nothing else.
    if (entry != nullptr && report.answered) {
      caf::anon_send(partners_.recorder, priced(*entry, report));
    }
    return;
  }
  entry->used += report.took;
  if (report.answered)
    on_answer(*entry, report, from);
  else
    on_failure(*entry, report.failure, from);
}

/// Once for each model in a batch. A dated name of the asked model is that model.
void batch_state::notice_model(board_entry& entry, const std::string& asked, const std::string& answered) {
  constexpr size_t most_reported = 8;
  if (answered.empty() || answered.starts_with(asked) || other_models_.size() >= most_reported) return;
  if (!other_models_.insert(answered).second) return;
  tell(event_kind::warning, entry, ec::none,
       fmt::format("the model {} was asked and {} says that it answered; the cost is that of the model that was asked",
                   asked, answered));
}

/// What the answer costs, and why, if its usage is not believed. Each kind of doubt is told once in a batch.
attempt_done batch_state::priced(board_entry& entry, const work_report& report) {
  const auto& model = model_of(entry, report.attempt);
  const bool present = report.attempt == entry.record.attempts;
  const auto asked = fallback_->request_for(entry.record.spec.request, entry.model_index);
  const auto known = entry.reservations.find(report.attempt);
  const auto reserved = known == entry.reservations.end() ? reservation_for(asked, model) : known->second;
  const auto size = present ? std::optional{size_of(asked)} : std::nullopt;
  const auto price = price_of(report.answer, size, model, reserved);
  if (price.doubt != usage_doubt::none) {
    const auto text = fmt::format(
        "the usage that came with an answer of {} is not believed ({}); it is charged with its reservation "
        "of {}",
        model.id, sentence(price.doubt), exact_dollars(price.cost));
    if (doubts_.insert(price.doubt).second)
      tell(event_kind::warning, entry, ec::none, text);
    else
      log_warning("{}: {}", entry.record.spec.label, text);
  }
  attempt_done done{report.task, report.attempt, report.lease, report.answer, price.cost, model.id};
  done.answer.usage = price.usage;
  return done;
}

void batch_state::on_answer(board_entry& entry, const work_report& report, const worker_actor& from) {
  entry.phase = task_phase::storing;
  entry.record.state = task_state::answered;
  fallback_->answered(entry.model_index);
  const auto& model = model_of(entry, report.attempt);
  notice_model(entry, model.id, report.answer.model);
  const auto id = report.task;
  auto done = priced(entry, report);
  const auto cost = done.cost;
  self_->request(partners_.recorder, no_timeout, std::move(done))
      .then(
          [this, id, cost, answer = report.answer, attempt = report.attempt, from](const recorded&) mutable {
            tell_stored(from, id, attempt);
            auto& stored = *board_->find(id);
            settle(stored, {cost, {}});
            tell(event_kind::spent, stored, ec::none, {}, cost);
            if (stored.late) return validate_late(stored);  // It was stored first.
            validate(id, std::move(answer));
          },
          [this, id](const caf::error& problem) {
            // The intent on disk keeps the reservation charged; the answer could not be stored anywhere.
            auto& lost = *board_->find(id);
            settle(lost, {{}, lost.reserved});
            board_->pause(lost);
            const auto cause = from_caf(problem);
            order_stop(cause.code, cause.message);
          });
}

void batch_state::on_failure(board_entry& entry, const call_failure& failure, const worker_actor& from) {
  const auto id = entry.record.spec.id;
  const bool unconfirmed = failure.billed == billing::unknown;
  entry.phase = task_phase::storing;
  if (unconfirmed) ++entry.unconfirmed;
  if (failure.code == ec::overloaded)
    fallback_->overloaded(self_->clock().now(), entry.model_index, failure.retry_after);
  // At once: what is handed out while the failure goes to disk would fail in the same way.
  if (stops_run(failure.code)) order_stop(failure.code, failure.message);
  self_->request(partners_.recorder, no_timeout, attempt_failed{id, entry.record.attempts, entry.lease, failure})
      .then(
          [this, id, failure, unconfirmed, attempt = entry.record.attempts, from](const recorded&) {
            tell_stored(from, id, attempt);
            auto& failed = *board_->find(id);
            settle(failed, unconfirmed ? spending{{}, failed.reserved} : spending{});
            const bool has_next = fallback_->has_next(failed.model_index, failed.record.spec.request);
            const bool kept = failure.code == ec::malformed_answer && !failure.text.empty();
            follow(failed, context_->outcomes.after_failure(failure, failed.unconfirmed, has_next), failure.code,
                   kept ? failure.message + fmt::format("; its text is kept in .claude-testing/unusable/{}-{}.txt",
                                                        to_string(id), attempt)
                        : failure.message);
          },
          [this, id](const caf::error& problem) {
            auto& failed = *board_->find(id);
            settle(failed, {{}, failed.reserved});
            board_->pause(failed);
            const auto cause = from_caf(problem);
            order_stop(cause.code, cause.message);
          });
}

void batch_state::validate(const task_id& id, completion answer) {
  if (const auto by_stop = class_of(answer.stop); by_stop != ec::none)
    return on_validation(id, {by_stop, std::string{sentence(by_stop)}});
  const std::shared_ptr<const task_spec> task{board_, &board_->find(id)->record.spec};
  if (!partners_.backlog->enter()) return on_validation(id, validate_answer(*context_->handler, *task, answer.text));
  self_->request(partners_.validator, no_timeout, answer_to_validate{task, std::move(answer.text)})
      .then([this, id](validation& how) { on_validation(id, std::move(how)); },
            [this](const caf::error& problem) { order_stop(ec::worker_lost, from_caf(problem).message); });
}

void batch_state::on_validation(const task_id& id, validation how) {
  auto& entry = *board_->find(id);
  if (how.code == ec::none) return deliver_file(entry, std::move(how.text));
  if (stops_run(how.code)) {  // It says nothing about the answer, which is kept for the next start.
    board_->end(entry, task_state::answered);
    return order_stop(how.code, how.text);
  }
  ++entry.unusable;
  const auto step = context_->outcomes.after_answer(how.code, entry.unusable, entry.record.spec.request.max_tokens);
  follow(entry, step, how.code, how.text);
}

void batch_state::deliver_file(board_entry& entry, std::string extracted) {
  const auto id = entry.record.spec.id;
  self_->request(partners_.recorder, no_timeout, deliver_text{{id, index_}, std::move(extracted)})
      .then(
          [this, id](const delivery& written) {
            auto& delivered = *board_->find(id);
            board_->end(delivered, task_state::delivered);
            tell(event_kind::task_ended, delivered, ec::none, written.path);
            if (written.conflict_copy)
              tell(event_kind::warning, delivered, ec::none,
                   "a file that is not ours stands where the result of '" + delivered.record.spec.label +
                       "' belongs; it was left alone, the result is in " + written.path);
            finish_if_done();
          },
          [this, id](const caf::error& problem) {
            // The answer is on disk: the next start writes the file without asking again.
            auto& kept = *board_->find(id);
            const auto cause = from_caf(problem);
            if (cause.code == ec::broken_code || cause.code == ec::no_code || cause.code == ec::answer_too_costly)
              return end(kept, task_state::failed, cause.code, cause.message);
            board_->end(kept, task_state::answered);
            if (stops_run(cause.code) && cause.code != ec::io) return order_stop(cause.code, cause.message);
            self_->send(partners_.coordinator,
                        delivery_failed{cause.code, kept.record.spec.label + ": " + cause.message});
            finish_if_done();
          });
}

void batch_state::follow(board_entry& entry, const next_step& step, ec code, const std::string& reason) {
  if (entry.late) {
    const bool stops = step.what == next_step::action::stop_run;
    validate_late(entry);
    if (stops) order_stop(code, reason);
    return;
  }
  switch (step.what) {
    case next_step::action::deliver: return;  // Delivery has a path of its own.
    case next_step::action::stop_run:
      board_->pause(entry);
      order_stop(code, reason);
      return;
    case next_step::action::fail: {
      const bool untouched = code == ec::cancelled;  // Stopped, not failed: it stays in the plan.
      if (!untouched) return end(entry, task_state::failed, code, reason);
      board_->pause(entry);
      finish_if_done();
      return;
    }
    case next_step::action::again: {
      if (entry.used >= context_->settings.timeout)
        return end(entry, task_state::failed, ec::timeout,
                   "the task's time is used up; the last attempt ended with: " + reason);
      board_->pause(entry);
      if (step.falls_back) entry.least_level = entry.model_index + 1;
      if (step.max_tokens != 0) entry.record.spec.request.max_tokens = step.max_tokens;
      tell(event_kind::task_retried, entry, code, reason);
      const auto id = entry.record.spec.id;
      self_->request(partners_.recorder, no_timeout, task_ended{id, task_state::planned, code, reason})
          .then([this, id,
                 pause = step.pause](const recorded&) { self_->delayed_anon_send(self_, pause, retry_task{id}); },
                [this](const caf::error& problem) { order_stop(from_caf(problem).code, from_caf(problem).message); });
      return;
    }
  }
}

void batch_state::on_retry(const task_id& id) {
  auto& entry = *board_->find(id);
  // A late answer may have come during the pause: then there is nothing to ask any more.
  if (entry.phase != task_phase::paused && entry.phase != task_phase::held) return;
  reported_exhausted_ = false;
  board_->requeue(entry);
  pump();
  finish_if_done();
}

void batch_state::end(board_entry& entry, task_state state, ec code, const std::string& reason) {
  const auto id = entry.record.spec.id;
  entry.phase = task_phase::storing;
  self_->request(partners_.recorder, no_timeout, task_ended{id, state, code, reason})
      .then(
          [this, id, state, code, reason](const recorded&) {
            auto& ended = *board_->find(id);
            if (ended.late) return validate_late(ended);
            board_->end(ended, state);
            tell(event_kind::task_ended, ended, code, reason);
            finish_if_done();
          },
          [this, id](const caf::error& problem) {
            board_->pause(*board_->find(id));
            order_stop(from_caf(problem).code, from_caf(problem).message);
          });
}

const model_info& batch_state::model_of(const board_entry& entry, uint32_t attempt) const {
  const auto other = entry.levels.find(attempt);
  return fallback_->model(other == entry.levels.end() ? 0 : other->second);
}

void batch_state::settle(board_entry& entry, const spending& spent) {
  self_->send(partners_.money, settlement{index_, entry.reserved, spent});
  entry.reserved = {};
}

void batch_state::give_back(uint64_t lease) { self_->send(partners_.pool, lease_return{lease}); }

void batch_state::on_lost(const lease_lost& lost) {
  auto* entry = board_->holder_of(lost.lease);
  if (entry == nullptr || entry->phase != task_phase::sending) return;
  call_failure gone;
  gone.code = ec::worker_lost;
  gone.message = "the worker was lost; its request may have been billed";
  gone.retry = true;
  gone.billed = billing::unknown;
  on_failure(*entry, gone, {});
}

void batch_state::on_drain() {
  for (auto* held : board_->stop_handing_out()) settle(*held, {});
  pump();
  finish_if_done();
}

void batch_state::order_stop(ec code, const std::string& message) {
  self_->send(partners_.coordinator, stop_run{code, message});
  on_drain();
}

void batch_state::finish_if_done() {
  if (closing_ || !board_->done()) return;
  closing_ = true;
  self_->send(partners_.pool, batch_exhausted{index_, false, {}});
  const auto leave = [this] {
    self_->send(partners_.coordinator, batch_ended{index_, board_->counts(), late_answers_});
    self_->quit();
  };
  self_->request(partners_.recorder, no_timeout, close_batch{index_})
      .then([leave](const recorded&) { leave(); },
            [this, leave](const caf::error& problem) {
              const auto cause = from_caf(problem);
              self_->send(partners_.coordinator, stop_run{cause.code, cause.message});
              leave();
            });
}

void batch_state::tell(event_kind kind, board_entry& entry, ec code, std::string text, nano_dollars cost) {
  run_event event;
  event.kind = kind;
  event.batch = index_;
  event.label = entry.record.spec.label;
  event.task = entry.record.spec.id;
  event.state = entry.record.state;
  event.before = entry.shown;
  event.code = code;
  event.text = std::move(text);
  event.attempt = entry.record.attempts;
  event.model = fallback_->model(entry.model_index).id;
  event.cost = cost;
  if (kind == event_kind::task_ended) entry.shown = entry.record.state;
  self_->send(partners_.progress, std::move(event));
}

batch_actor::behavior_type batch(batch_actor::stateful_pointer<batch_state> self, context_ptr context,
                                 batch_partners partners, batch_contents contents, uint32_t slots) {
  self->state.start(self, std::move(context), std::move(partners), std::move(contents), slots);
  return {
      [self](const slot_lease& slot) { self->state.on_slot(slot); },
      [self](const lease_lost& lost) { self->state.on_lost(lost); },
      [self](const retry_task& request) { self->state.on_retry(request.task); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const answer_arrived& late) { self->state.on_late(late); },
      [self](const task_released& released) { self->state.on_released(released); },
      [self](const slots_changed& now) { self->state.on_slots(now); },
  };
}

}  // namespace cohort::actors
