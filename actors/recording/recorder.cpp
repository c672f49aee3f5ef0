// RECORDER: what is asked of it, turned into records of the next commit. The rules are in its parts.

#include "actors/recording/recorder.hpp"

#include <thread>
#include <utility>

#include <caf/all.hpp>

#include "actors/attempts/late_answers.hpp"
#include "actors/caf/caf_error.hpp"
#include "actors/caf/thread_of_own.hpp"
#include "base/fault_point.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr uint64_t largest_source = 16 << 20;
constexpr milliseconds longest_nap{5};  ///< Of this thread; longer waits leave it free for other requests.

void warn_of(const expected<void>& done) {
  if (!done) log_warning("{}", done.error().message);
}

expected<written_result> displaced() {
  return fail(ec::io, "the ledger is not in its place, so no file is written; the answer is kept");
}

/// Still to be asked for.
bool waits(const task_record& task) { return task.state == task_state::planned || task.state == task_state::deferred; }

}  // namespace

void recorder_state::start(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                           std::shared_ptr<state::ledger> ledger, recorder_options options,
                           coordinator_actor coordinator) {
  self_ = self;
  context_ = std::move(context);
  ledger_ = std::move(ledger);
  options_ = std::move(options);
  coordinator_ = std::move(coordinator);
  watch_ = std::make_unique<ledger_watch>(ledger_, options_.workspace);
  view_ = std::make_unique<batch_state_counts>(options_.workspace, ledger_->newest_run().value_or(std::nullopt));
  copies_ = std::make_unique<state::backup_writer>(*ledger_);
  files_ = std::make_unique<result_files>(ledger_, context_, options_.workspace, options_.output, options_.run);
  commits_ = std::make_unique<group_commit>(ledger_, options_.workspace, *watch_, around_commits());
  if (options_.waits_for_nodes) {
    const auto in_doubt = ledger_->in_doubt(options_.run);
    if (!in_doubt) log_warning("{}", in_doubt.error().message);
    if (in_doubt)
      for (const auto& one : *in_doubt) in_doubt_.insert(one.task);
  }
  warn_of(files_->restore());
  warn_of(publish(true));
}

group_commit::callbacks recorder_state::around_commits() {
  const auto wake = [this](milliseconds pause) {
    auto home = caf::actor_cast<recorder_actor>(self_);
    const bool may_sleep = pause <= longest_nap && has_own_thread(static_cast<caf::abstract_actor*>(self_));
    if (pause > milliseconds{0} && !may_sleep) {
      self_->delayed_send(home, pause, recorder_flush{});
      return;
    }
    std::this_thread::sleep_for(pause);
    self_->send(home, recorder_flush{});  // Comes after all that arrived meanwhile.
  };
  return {wake, [this](stop_run why) { self_->send(coordinator_, std::move(why)); }};
}

caf::result<batch_contents> recorder_state::open(const open_batch& request) {
  auto tasks = ledger_->load_batch(options_.run, request.batch);
  if (!tasks) return to_caf(tasks.error());
  view_->open_batch(request.batch, *tasks);
  batch_contents contents;
  contents.batch = request.batch;
  for (const auto& task : *tasks) {
    auto problem = source_problem(task);
    if (!problem) return to_caf(problem.error());
    if (waits(task) && in_doubt_.contains(task.spec.id))
      contents.in_doubt.push_back(task.spec.id);  // An answer that is paid for is taken, whatever became of the source.
    else if (*problem)
      contents.not_askable.push_back(std::move(**problem));
  }
  contents.tasks = std::move(*tasks);
  return contents;
}

expected<std::optional<task_ended>> recorder_state::source_problem(const task_record& task) const {
  if (!waits(task) || task.spec.source.empty()) return std::optional<task_ended>{};
  const auto project = folder::open(options_.workspace.project);
  const auto content = project ? project->read(task.spec.source, largest_source)
                               : expected<std::string>{tl::unexpected{project.error()}};
  if (!content) return task_ended{task.spec.id, task_state::skipped, ec::source_gone, content.error().message};
  if (sha256(*content) != task.spec.source_digest)
    return task_ended{task.spec.id, task_state::skipped, ec::source_changed,
                      "it changed after it was planned; the next run plans it anew"};
  return std::optional<task_ended>{};
}

template <class Reply, class Apply, class Noted>
caf::typed_response_promise<Reply> recorder_state::commit(bool intent, Apply apply, Noted noted) {
  auto promise = self_->make_response_promise<Reply>();
  auto reply = std::make_shared<Reply>();
  const auto write = [reply, apply = std::move(apply)]() -> expected<void> {
    auto made = apply();
    if (!made) return tl::unexpected{std::move(made.error())};
    *reply = std::move(*made);
    return {};
  };
  const auto answer = [reply, promise, noted = std::move(noted)](const error* problem) mutable {
    if (problem != nullptr) {
      promise.deliver(to_caf(*problem));
      return;
    }
    noted(*reply);
    promise.deliver(std::move(*reply));
  };
  commits_->add({write, answer, intent});
  return promise;
}

template <class Record>
caf::typed_response_promise<recorded> recorder_state::store(Record record) {
  const auto what = std::make_shared<const Record>(std::move(record));
  const auto apply = [this, what]() -> expected<recorded> {
    const auto stored = commits_->note_ledger_error(ledger_->record(options_.run, *what));
    if (!stored) return tl::unexpected{stored.error()};
    if constexpr (std::is_same_v<decltype(stored), const expected<bool>>)
      return recorded{*stored};
    else
      return recorded{true};
  };
  return commit<recorded>(std::is_same_v<Record, intent>, apply,
                          [this, what](const recorded& done) { view_->note(*what, done.fresh); });
}

caf::typed_response_promise<recorded> recorder_state::store_failure(attempt_failed report) {
  if (!watch_->displaced()) files_->keep_unusable(report);
  return store(std::move(report));
}

caf::typed_response_promise<delivery> recorder_state::deliver_file(deliver_text request) {
  const auto apply = [this, request = std::move(request)]() -> expected<delivery> {
    auto written = write_file(request);
    if (!written) return tl::unexpected{written.error()};
    auto stored = commits_->note_ledger_error(ledger_->record(options_.run, written->what));
    if (stored) stored = commits_->note_ledger_error(ledger_->set_targets(written->with, written->what.path));
    if (!stored) return tl::unexpected{stored.error()};
    return std::move(written->what);
  };
  return commit<delivery>(false, apply,
                          [this](const delivery& done) { view_->note_state(done.task, task_state::delivered); });
}

expected<written_result> recorder_state::write_file(const deliver_text& request) {
  const auto* known = view_->find(request.what.task);
  if (known == nullptr) return fail(ec::task_unknown, "a file was to be written for a task that is not open");
  if (watch_->displaced()) return displaced();
  auto written = files_->write(known->spec, request.extracted);
  return in_place() ? written : displaced();  // Moved meanwhile: the file is where the project is no more.
}

bool recorder_state::in_place() {
  if (auto gone = watch_->look()) self_->send(coordinator_, std::move(*gone));
  return !watch_->displaced();
}

caf::typed_response_promise<late_outcome> recorder_state::store_late(late_report late) {
  const auto what = std::make_shared<const late_report>(std::move(late));
  const auto& report = what->report;
  if (!report.answered && !report.failure.text.empty() && !watch_->displaced()) {
    // Only of an attempt that this node owes: others could fill the disk.
    const auto state = ledger_->attempt_state_of(what->run, report.task, report.attempt);
    if (state && state->owed && refusal_of(*what, *state).empty())
      files_->keep_unusable({report.task, report.attempt, report.lease, report.failure});
  }
  return commit<late_outcome>(
      false, [this, what] { return commits_->note_ledger_error(record_late(*ledger_, *context_, *what)); },
      [this, what](const late_outcome& seen) { note_late(*what, seen); });
}

void recorder_state::note_late(const late_report& late, const late_outcome& seen) {
  if (late.run != options_.run) return;
  if (seen.fresh && !seen.model.empty()) view_->note_cost(seen.batch, seen.model, seen.cost);
  if (seen.used) view_->note_state(late.report.task, task_state::answered);
}

void recorder_state::flush() {
  commits_->flush();
  if (!watch_->displaced()) warn_of(view_->publish_if_due());
}

void recorder_state::begin_sync() {
  if (watch_->displaced()) return;
  files_->begin_sync([home = caf::actor_cast<recorder_actor>(self_)](const expected<void>& done) {
    caf::anon_send(home, done ? sync_ended{} : sync_ended{done.error().code, done.error().message});
  });
  // A scheduler with virtual time expects no message from another thread while it works.
  if (!has_own_thread(static_cast<caf::abstract_actor*>(self_))) files_->await_sync();
}

void recorder_state::on_sync_ended(const sync_ended& how) {
  auto covered = files_->end_sync();
  if (how.code == ec::not_found || watch_->displaced()) return;  // The folder was deleted: `sync_now` sees to that.
  if (how.code != ec::none) {
    self_->send(coordinator_, stop_run{how.code, how.message});
    return;
  }
  const auto mark = [this, covered = std::move(covered)] { return ledger_->mark_synced(covered); };
  commits_->add({mark, [](const error*) {}});  // What could not be marked is synced and marked once more.
}

caf::result<recorded> recorder_state::close(const close_batch& request) {
  // Batches that end in quick succession share one sync; what is not synced yet is looked at after a crash.
  begin_sync();
  if (!watch_->displaced()) copies_->begin_if_due();
  view_->close_batch(request.batch);
  if (auto shown = publish(false); !shown) return to_caf(shown.error());
  return recorded{};
}

/// Also a ledger that vanished after the last commit is put back, whatever else fails on the way.
caf::result<recorded> recorder_state::close(const close_run& request) {
  commits_->flush_all();
  auto stored = watch_->displaced() ? expected<void>{} : files_->sync_now();
  if (stored) stored = ledger_->update_run(options_.run, context_->settings, request.status);
  COHORT_FAULT_POINT("run.closed");
  if (!in_place())
    if (auto back = watch_->put_back(); !back) return to_caf(back.error());
  if (!stored) return to_caf(stored.error());
  auto run = ledger_->newest_run();
  if (!run) return to_caf(run.error());
  view_->replace(std::move(*run));
  if (auto shown = publish(true); !shown) return to_caf(shown.error());
  return recorded{};
}

expected<void> recorder_state::publish(bool now) {
  if (watch_->displaced()) return {};
  return now ? view_->publish() : view_->publish_soon();
}

recorder_actor::behavior_type recorder(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                                       std::shared_ptr<state::ledger> ledger, recorder_options options,
                                       coordinator_actor coordinator) {
  self->state.start(self, std::move(context), std::move(ledger), std::move(options), std::move(coordinator));
  return {
      [self](const open_batch& request) { return self->state.open(request); },
      [self](intent& x) { return self->state.store(std::move(x)); },
      [self](attempt_done& x) { return self->state.store(std::move(x)); },
      [self](attempt_failed& x) { return self->state.store_failure(std::move(x)); },
      [self](task_ended& x) { return self->state.store(std::move(x)); },
      [self](late_report& x) { return self->state.store_late(std::move(x)); },
      [self](deliver_text& x) { return self->state.deliver_file(std::move(x)); },
      [self](const close_batch& request) { return self->state.close(request); },
      [self](const close_run& request) { return self->state.close(request); },
      [self](const recorder_flush&) { self->state.flush(); },
      [self](const sync_ended& how) { self->state.on_sync_ended(how); },
      [self](const stop_now&) { self->state.give_up(); },
  };
}

}  // namespace cohort::actors
