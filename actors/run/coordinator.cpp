// COORDINATOR. Batches start in the plan's order. With `parallel_batches` 0 (automatic) the next one starts when
// the present ones have nothing left to hand out and a worker is idle; the next batch is loaded ahead of that.

#include "actors/run/coordinator.hpp"

#include <algorithm>
#include <utility>

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "actors/run/batch.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr size_t longest_trouble = 1000;  ///< Characters; what comes later than that is in the log only.

/// An answer that was stored after, or while, its batch was read.
void take_in(const answer_arrived& late, batch_contents& contents) {
  for (auto& task : contents.tasks) {
    if (task.spec.id != late.task) continue;
    task.state = task_state::answered;
    task.answer = late.answer.text;
    task.stop = late.answer.stop;
  }
  std::erase_if(contents.not_askable, [&](const task_ended& ended) { return ended.task == late.task; });
}

}  // namespace

void coordinator_state::start(coordinator_actor::stateful_pointer<coordinator_state> self, context_ptr context,
                              run_record run, const make_services& make) {
  self_ = self;
  context_ = std::move(context);
  run_ = std::move(run);
  for (const auto& batch : run_.batches)
    if (batch.tasks.final() != batch.tasks.total()) waiting_.push_back(batch.index);
  services_ = make(caf::actor_cast<coordinator_actor>(self_));
  self_->set_down_handler([this](caf::down_msg&) { on_service_down(); });
  self_->monitor(services_.recorder);
  self_->monitor(services_.pool);
  self_->monitor(services_.money);
  self_->monitor(services_.gateway);
  self_->monitor(services_.validator);
  if (services_.hub) self_->monitor(services_.hub);
}

caf::typed_response_promise<run_outcome> coordinator_state::on_start() {
  done_ = self_->make_response_promise<run_outcome>();
  run_event started;
  started.kind = event_kind::run_started;
  started.counts = run_.tasks();
  started.spent = run_.spent();
  tell(std::move(started));
  open_more();
  finish_if_done();
  return done_;
}

bool coordinator_state::enough_opened() const { return context_->max_batches != 0 && opened_ >= context_->max_batches; }

bool coordinator_state::may_open() const {
  if (stopping_) return false;
  if (enough_opened()) return false;
  if (active_.empty()) return true;
  const auto parallel = context_->settings.parallel_batches;
  if (parallel != 0) return active_.size() < parallel;
  const bool all_exhausted =
      std::all_of(active_.begin(), active_.end(), [](const auto& entry) { return entry.second.exhausted; });
  return idle_ && all_exhausted;
}

void coordinator_state::open_more() {
  if (!done_.pending()) return;  // Not started: the POOL and the HUB may tell of slots and answers before that.
  while (loaded_ && may_open()) {
    auto contents = std::move(*loaded_);
    loaded_.reset();
    spawn_batch(std::move(contents), slots_);
    idle_ = false;
  }
  load_next();
}

void coordinator_state::load_next() {
  if (loading_ || loaded_ || stopping_ || enough_opened() || waiting_.empty()) return;
  loading_ = waiting_.front();
  waiting_.pop_front();
  self_->request(services_.recorder, caf::infinite, open_batch{*loading_})
      .then(
          [this](batch_contents& contents) {
            loaded_ = brought_up_to_date(std::move(contents));
            open_more();
            finish_if_done();
          },
          [this](const caf::error& problem) {
            loading_.reset();
            const auto cause = from_caf(problem);
            on_stop_run({cause.code, cause.message});
          });
}

/// With the answers that came while the RECORDER read it.
batch_contents coordinator_state::brought_up_to_date(batch_contents contents) {
  loading_.reset();
  for (const auto& late : std::exchange(late_while_loading_, {})) take_in(late, contents);
  return contents;
}

void coordinator_state::spawn_batch(batch_contents contents, uint32_t slots) {
  const auto index = contents.batch;
  late_.erase(index);
  run_event started;
  started.kind = event_kind::batch_started;
  started.batch = index;
  started.counts = run_.batches[index].tasks;
  tell(std::move(started));
  ++opened_;
  const batch_partners partners{caf::actor_cast<coordinator_actor>(self_),
                                services_.recorder,
                                services_.pool,
                                services_.money,
                                services_.progress,
                                services_.validator,
                                services_.backlog,
                                services_.hub};
  active_[index].actor = self_->spawn(batch, context_, partners, std::move(contents), slots);
}

void coordinator_state::on_exhausted(const batch_exhausted& batch) {
  const auto active = active_.find(batch.batch);
  if (active == active_.end()) return;
  active->second.exhausted = true;
  if (!batch.veto.empty()) {
    limit_hit_ = true;
    limit_reason_ = batch.veto;
    // No further batch begins. Those that are active go on with what the COST MONITOR still grants them.
    if (batch.run_limit || context_->settings.on_limit == limit_policy::stop) stopping_ = true;
  }
  open_more();
}

void coordinator_state::on_idle(const slots_idle&) {
  idle_ = true;
  open_more();
}

void coordinator_state::on_slots(const slots_changed& slots) {
  slots_ = slots.total;
  for (auto& [index, active] : active_) self_->send(active.actor, slots);
}

void coordinator_state::on_late(const answer_arrived& late) {
  if (const auto active = active_.find(late.batch); active != active_.end()) {
    ++active->second.late_answers;
    self_->send(active->second.actor, late);
    return;
  }
  if (loading_ == late.batch)
    late_while_loading_.push_back(late);
  else if (loaded_ && loaded_->batch == late.batch)
    take_in(late, *loaded_);
  else if (std::find(waiting_.begin(), waiting_.end(), late.batch) == waiting_.end())
    return open_again(late.batch);
  late_.insert(late.batch);
}

/// It has ended, and an answer came since. Where no batch opens any more, the answer is judged before the run closes.
void coordinator_state::open_again(uint32_t batch) {
  late_.insert(batch);
  if (closing_ || stopping_ || enough_opened()) return;
  waiting_.push_front(batch);
  open_more();
}

void coordinator_state::on_ended(const batch_ended& batch) {
  const auto active = active_.find(batch.batch);
  if (active == active_.end()) return;
  const bool missed_answers = batch.late_answers < active->second.late_answers;
  active_.erase(active);
  run_.batches[batch.batch].tasks = batch.tasks;
  run_event ended;
  ended.kind = event_kind::batch_ended;
  ended.batch = batch.batch;
  ended.counts = batch.tasks;
  tell(std::move(ended));
  if (missed_answers) open_again(batch.batch);
  open_more();
  finish_if_done();
}

/// Nothing more is handed out or sent; what is in flight is finished.
void coordinator_state::wind_down() {
  stopping_ = true;
  if (winding_down_) return;
  winding_down_ = true;
  for (auto& [index, active] : active_) self_->send(active.actor, drain{});
  self_->send(services_.gateway, drain{});
  self_->send(services_.pool, drain{});
  if (services_.hub) self_->send(services_.hub, drain{});
}

void coordinator_state::on_drain() {
  interrupted_ = true;
  wind_down();
  finish_if_done();
}

void coordinator_state::on_stop_now() {
  interrupted_ = true;
  wind_down();
  self_->send(services_.gateway, stop_now{});
  if (services_.hub) self_->send(services_.hub, stop_now{});
  self_->send(services_.recorder, stop_now{});
  finish_if_done();
}

void coordinator_state::on_stop_run(const stop_run& request) {
  if (trouble_.code == ec::none) {
    trouble_ = {request.code, request.message};
    log_error("stopping: {}", request.message);
    run_event event;
    event.kind = event_kind::notice;
    event.code = request.code;
    event.text = "stopping; what is in flight is finished first";
    tell(std::move(event));
  } else if (trouble_.message.size() < longest_trouble && trouble_.message.find(request.message) == std::string::npos) {
    trouble_.message += "; " + request.message;  // What came first may be no more than a sign of it.
  }
  wind_down();
  finish_if_done();
}

void coordinator_state::on_delivery_failed(const delivery_failed& what) {
  delivery_failure_ = {what.code, what.message};
  run_event event;
  event.kind = event_kind::warning;
  event.code = what.code;
  event.text = what.message;
  tell(std::move(event));
}

void coordinator_state::on_service_down() {
  // A service cannot be replaced, and replies that it owes will never come: end here rather than wait for them.
  // Nothing is lost by that: what is on disk stays, what was in flight stays charged.
  if (closing_) return;
  on_stop_run({ec::worker_lost, "an internal service ended unexpectedly; run the same command to continue"});
  for (auto& [index, active] : active_) self_->send_exit(active.actor, caf::exit_reason::kill);
  active_.clear();
  closing_ = true;
  store_end();
}

void coordinator_state::finish_if_done() {
  if (closing_ || !done_.pending() || !active_.empty() || loading_) return;
  const bool more_to_open = !stopping_ && (loaded_ || !waiting_.empty()) && !enough_opened();
  if (more_to_open) return;
  close();
}

run_outcome coordinator_state::outcome() const {
  if (trouble_.code != ec::none) return {run_status::failed, trouble_.code, trouble_.message};
  const auto tasks = run_.tasks();
  if (tasks.final() == tasks.total()) return {run_status::finished, ec::none, {}};
  if (delivery_failure_.code != ec::none)
    return {run_status::failed, delivery_failure_.code, delivery_failure_.message};
  if (interrupted_) return {run_status::interrupted, ec::interrupted, "interrupted; run the same command to continue"};
  if (limit_hit_) return {run_status::stopped_by_limit, ec::limit_reached, limit_reason_};
  return {run_status::interrupted, ec::none, "more batches wait; run the same command to continue"};
}

/// What nodes hold is taken in first: it is paid for, and the sums and the summary are to be whole.
void coordinator_state::close() {
  closing_ = true;
  if (!services_.hub) return validate_last_answers();
  self_->request(services_.hub, caf::infinite, hub_close{})
      .then(
          [this](const hub_closed&) {
            self_->demonitor(services_.hub.address());
            services_.hub = hub_service_actor{};
            validate_last_answers();
          },
          [this](const caf::error&) { store_end(); });
}

/// Late answers whose batch was not opened for them are judged and delivered; nothing is asked any more, so no batch
/// gets a slot.
void coordinator_state::validate_last_answers() {
  if (late_.empty()) return store_end();
  closing_ = false;
  stopping_ = true;
  loading_ = *late_.begin();
  self_->request(services_.recorder, caf::infinite, open_batch{*loading_})
      .then(
          [this](batch_contents& contents) {
            const auto index = contents.batch;
            spawn_batch(brought_up_to_date(std::move(contents)), 0);
            self_->send(active_[index].actor, drain{});
          },
          [this](const caf::error& problem) {
            late_.erase(*loading_);
            loading_.reset();
            const auto cause = from_caf(problem);
            on_stop_run({cause.code, cause.message});
          });
}

/// What ends the run may come to light only while it is being stored.
void coordinator_state::store_end() {
  self_->request(services_.recorder, caf::infinite, close_run{outcome().status})
      .then([this](const recorded&) { report(outcome()); },
            [this](const caf::error& problem) {
              const auto cause = from_caf(problem);
              const auto ended = outcome();
              report({run_status::failed, ended.code == ec::none ? cause.code : ended.code,
                      ended.message.empty() ? cause.message : ended.message + "; " + cause.message});
            });
}

void coordinator_state::report(const run_outcome& outcome) {
  run_event ended;
  ended.kind = event_kind::run_ended;
  ended.counts = run_.tasks();
  ended.code = outcome.code;
  ended.text = outcome.message;
  tell(std::move(ended));
  done_.deliver(outcome);
}

void coordinator_state::tell(run_event event) { self_->send(services_.progress, std::move(event)); }

coordinator_actor::behavior_type coordinator(coordinator_actor::stateful_pointer<coordinator_state> self,
                                             context_ptr context, run_record run,
                                             const coordinator_state::make_services& make) {
  self->state.start(self, std::move(context), std::move(run), make);
  return {
      [self](const run_start&) { return self->state.on_start(); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const stop_now&) { self->state.on_stop_now(); },
      [self](const stop_run& request) { self->state.on_stop_run(request); },
      [self](const delivery_failed& what) { self->state.on_delivery_failed(what); },
      [self](const batch_exhausted& batch) { self->state.on_exhausted(batch); },
      [self](const batch_ended& batch) { self->state.on_ended(batch); },
      [self](const slots_idle& idle) { self->state.on_idle(idle); },
      [self](const slots_changed& slots) { self->state.on_slots(slots); },
      [self](const answer_arrived& late) { self->state.on_late(late); },
  };
}

}  // namespace cohort::actors
