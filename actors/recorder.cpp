// RECORDER: group commit, delivery of files, the view, and what happens when the disk is full.

#include "actors/recorder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <caf/all.hpp>

#include "actors/errors.hpp"
#include "actors/stored_result.hpp"
#include "base/fault_point.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "state/view.hpp"

namespace cohort {

namespace fs = std::filesystem;

namespace {

constexpr auto view_interval = std::chrono::seconds{1};
// How long a record waits for others to share its commit: a worker waits for an intent, nobody for the rest.
constexpr milliseconds intent_pause{2};
constexpr milliseconds group_pause{8};
constexpr size_t least_share = 32;  ///< Records that a commit takes along with intents, if so many wait.
constexpr auto sync_interval = std::chrono::seconds{1};
constexpr auto trouble_pause = std::chrono::seconds{1};
constexpr uint64_t largest_source = 16 << 20;
constexpr uint32_t most_alternatives = 1000;

bool is_disk_full(const error& problem) { return problem.code == ec::disk_full; }

/// Troubles of the ledger that can pass: then what is paid is kept in memory, and tried again.
bool may_pass(ec code) {
  return code == ec::disk_full || code == ec::io || code == ec::permission_denied || code == ec::state_locked;
}

/// What a power cut leaves of a file that was renamed but not synced.
bool looks_torn(const std::string& content) { return content.empty() || content.find('\0') != std::string::npos; }

}  // namespace

recorder_state::~recorder_state() {
  if (sync_.joinable()) sync_.join();
}

void recorder_state::start(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                           std::shared_ptr<ledger> book, recorder_options options, coordinator_actor coordinator) {
  self_ = self;
  context_ = std::move(context);
  book_ = std::move(book);
  options_ = std::move(options);
  coordinator_ = std::move(coordinator);
  if (auto run = book_->newest_run(); run && *run) view_ = std::move(**run);
  if (options_.waits_for_nodes) {
    if (auto awaited = book_->awaited(options_.run))
      for (const auto& one : *awaited) awaited_.insert(one.task);
    else
      log_warning("{}", awaited.error().message);
  }
  if (auto restored = restore_torn_files(); !restored) log_warning("{}", restored.error().message);
  if (auto published = publish(true); !published) log_warning("{}", published.error().message);
}

expected<void> recorder_state::restore_torn_files() {
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  std::unordered_map<task_id, std::string> torn;
  for (const auto& file : *files) {
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(file.path, ignored))) continue;  // The user put it there.
    const auto present = read_file(file.path);
    const bool lost = present ? looks_torn(*present) : present.error().code == ec::not_found;
    if (lost && (!present || sha256(*present) != file.content)) torn.emplace(file.task, file.path);
  }
  if (torn.empty()) return {};
  std::vector<task_spec> specs;
  auto visited = book_->for_each_task(options_.run, [&](const task_record& task) {
    if (torn.contains(task.spec.id)) specs.push_back(task.spec);
  });
  if (!visited) return visited;
  for (const auto& spec : specs) {
    auto content = content_from_answers(*book_, *context_->craft, options_.run, spec.target);
    if (!content) return tl::unexpected{content.error()};
    const auto& path = torn[spec.id];
    if (auto inside = known_path(options_.place, options_.output, path); !inside) {
      log_warning("'{}' was lost and is not written again: {}", path, inside.error().message);
      continue;
    }
    log_warning("'{}' did not survive the last end; it is written again from its stored answer", path);
    if (auto written = replace_file(path, *content, durability::now); !written) return written;
  }
  return {};
}

caf::result<batch_contents> recorder_state::open(const open_batch& wish) {
  auto tasks = book_->load_batch(options_.run, wish.batch);
  if (!tasks) return to_caf(tasks.error());
  batch_contents contents;
  contents.batch = wish.batch;
  for (const auto& task : *tasks) {
    task_record known = task;
    known.answer.clear();
    known.spec.request.prompt.clear();
    known.spec.request.shared_prefix.clear();
    open_tasks_[task.spec.id] = std::move(known);
    open_batches_[wish.batch].push_back(task.spec.id);
    const auto problem = source_problem(task);
    if (!problem) return to_caf(problem.error());
    const bool waits = task.state == task_state::planned || task.state == task_state::deferred;
    if (waits && awaited_.contains(task.spec.id)) {
      contents.awaited.push_back(task.spec.id);
      continue;  // An answer that is paid for is taken, whatever became of the source since.
    }
    if (!*problem) continue;
    contents.not_askable.push_back(**problem);
  }
  contents.tasks = std::move(*tasks);
  return contents;
}

expected<std::optional<task_ended>> recorder_state::source_problem(const task_record& task) {
  const bool still_to_ask = task.state == task_state::planned || task.state == task_state::deferred;
  if (!still_to_ask || task.spec.source.empty()) return std::optional<task_ended>{};
  const auto content = read_file(options_.place.project / task.spec.source, largest_source);
  if (!content) return task_ended{task.spec.id, task_state::skipped, ec::source_gone, content.error().message};
  if (sha256(*content) != task.spec.source_digest)
    return task_ended{task.spec.id, task_state::skipped, ec::source_changed,
                      "it changed after it was planned; the next run plans it anew"};
  return std::optional<task_ended>{};
}

template <class Record>
caf::typed_response_promise<recorded> recorder_state::store(Record record) {
  auto promise = self_->make_response_promise<recorded>();
  struct waiting {
    Record what;
    bool fresh = true;
  };
  auto entry = std::make_shared<waiting>(waiting{std::move(record)});
  const auto apply = [this, entry]() -> expected<void> {
    if constexpr (std::is_same_v<Record, attempt_done> || std::is_same_v<Record, attempt_failed>) {
      const auto stored = noted(book_->record(options_.run, entry->what));
      if (!stored) return tl::unexpected{stored.error()};
      entry->fresh = *stored;
      return {};
    } else {
      return noted(book_->record(options_.run, entry->what));
    }
  };
  const auto answer = [this, promise, entry](const error* problem) mutable {
    if (problem != nullptr) {
      promise.deliver(to_caf(*problem));
      return;
    }
    note(entry->what, entry->fresh);
    promise.deliver(recorded{entry->fresh});
  };
  constexpr bool unpaid = std::is_same_v<Record, intent>;
  enqueue({apply, answer, unpaid}, unpaid ? urgency::soon : urgency::may_wait);
  return promise;
}

/// A text without a credible bill is not used, but it may be paid for: the user can have it.
void recorder_state::keep_text(const attempt_failed& x) {
  if (x.failure.code != ec::malformed_answer || x.failure.text.empty() || displaced_) return;
  const auto file = options_.place.unusable_file(to_string(x.task), x.attempt);
  auto kept =
      result_path(options_.place, options_.place.root(), file.lexically_relative(options_.place.root()).native());
  if (kept) {
    if (auto written = replace_file(file, x.failure.text, durability::later); !written)
      kept = tl::unexpected{written.error()};
  }
  if (kept)
    log_info("what an unusable answer said is in '{}'", file.string());
  else
    log_warning("what an unusable answer said cannot be kept: {}", kept.error().message);
}

caf::typed_response_promise<recorded> recorder_state::store_failure(attempt_failed report) {
  keep_text(report);
  return store(std::move(report));
}

caf::typed_response_promise<delivery> recorder_state::deliver_file(deliver_text wish) {
  auto promise = self_->make_response_promise<delivery>();
  auto written = std::make_shared<delivery>();
  pending entry;
  entry.apply = [this, wish = std::move(wish), written]() -> expected<void> {
    auto file = write_target(wish);
    if (!file) return tl::unexpected{file.error()};
    *written = std::move(*file);
    return noted(book_->record(options_.run, *written));
  };
  entry.answer = [this, promise, written](const error* problem) mutable {
    if (problem != nullptr) {
      promise.deliver(to_caf(*problem));
      return;
    }
    note_state(written->task, task_state::delivered);
    promise.deliver(*written);
  };
  enqueue(std::move(entry), urgency::may_wait);
  return promise;
}

expected<late_outcome> recorder_state::record_late(const late_report& late) {
  const auto& report = late.report;
  const auto before = book_->standing(late.run, report.task, report.attempt);
  if (!before) return tl::unexpected{before.error()};
  late_outcome outcome;
  outcome.batch = before->batch;
  outcome.settled = before->charged;
  const auto* model = context_->find_model(before->model);
  if (report.answered && model == nullptr) {
    outcome.taken = false;
    return outcome;
  }
  const auto cost = report.answered ? cost_of(report.answer.usage, *model) : nano_dollars{};
  if (!report.answered) keep_text({report.task, report.attempt, report.lease, report.failure});
  const auto fresh =
      report.answered
          ? book_->record(late.run,
                          attempt_done{report.task, report.attempt, report.lease, report.answer, cost, model->id})
          : book_->record(late.run, attempt_failed{report.task, report.attempt, report.lease, report.failure});
  if (!fresh) return tl::unexpected{fresh.error()};
  const auto after = book_->standing(late.run, report.task, report.attempt);
  if (!after) return tl::unexpected{after.error()};
  outcome.fresh = *fresh;
  outcome.used = *fresh && before->state != task_state::answered && after->state == task_state::answered;
  outcome.cost = report.answered ? cost : after->charged;
  if (report.answered) outcome.model = model->id;
  return outcome;
}

caf::typed_response_promise<late_outcome> recorder_state::store_late(late_report late) {
  auto promise = self_->make_response_promise<late_outcome>();
  auto seen = std::make_shared<late_outcome>();
  pending entry;
  entry.apply = [this, late, seen]() -> expected<void> {
    auto outcome = record_late(late);
    if (!outcome) return tl::unexpected{outcome.error()};
    *seen = *outcome;
    return {};
  };
  entry.answer = [this, promise, late, seen](const error* problem) mutable {
    if (problem != nullptr) {
      promise.deliver(to_caf(*problem));
      return;
    }
    if (late.run == options_.run && seen->fresh && view_ && seen->batch < view_->batches.size()) {
      if (late.report.answered) note_cost(seen->batch, seen->model, seen->cost);
    }
    if (late.run == options_.run && seen->used) note_state(late.report.task, task_state::answered);
    promise.deliver(*seen);
  };
  enqueue(std::move(entry), urgency::may_wait);
  return promise;
}

void recorder_state::enqueue(pending entry, urgency how) {
  if (how == urgency::soon)
    urgent_.push_back(std::move(entry));
  else
    patient_.push_back(std::move(entry));
  const bool hurries = how == urgency::soon && !flush_soon_;
  const bool first = !flush_soon_ && !flush_later_;
  if (!hurries && !first) return;
  (how == urgency::soon ? flush_soon_ : flush_later_) = true;
  self_->delayed_send(caf::actor_cast<recorder_actor>(self_), how == urgency::soon ? intent_pause : group_pause,
                      recorder_flush{});
}

/// Every intent, and as much of the rest as keeps the next intents from waiting long: half, so that what is in memory
/// only stays bounded.
void recorder_state::form_group() {
  group_ = std::move(urgent_);
  urgent_.clear();
  const auto share = std::min(patient_.size(), std::max(least_share, patient_.size() / 2));
  std::move(patient_.begin(), patient_.begin() + static_cast<std::ptrdiff_t>(share), std::back_inserter(group_));
  patient_.erase(patient_.begin(), patient_.begin() + static_cast<std::ptrdiff_t>(share));
}

void recorder_state::flush() {
  flush_soon_ = false;
  flush_later_ = false;
  if (group_.empty()) form_group();
  if (!group_.empty()) commit_group();
  if (!patient_.empty() && !flush_later_) {
    flush_later_ = true;
    self_->send(caf::actor_cast<recorder_actor>(self_), recorder_flush{});
  }
  if (steady_clock::now() - published_ >= view_interval)
    if (auto shown = publish(false); !shown) log_warning("{}", shown.error().message);
}

void recorder_state::commit_group() {
  look_after_ledger();
  auto outcome = commit_all();
  if (!outcome && is_disk_full(outcome.error()) && make_room()) outcome = commit_all();
  if (!outcome && may_pass(outcome.error().code) && !giving_up_) {
    retry_later(outcome.error());
    return;
  }
  if (!outcome)
    for (auto& entry : group_) entry.answer(&outcome.error());
  if (outcome && std::exchange(trouble_told_, false)) log_info("the ledger can be written again; all is stored");
  group_.clear();
}

expected<void> recorder_state::commit_all() {
  COHORT_FAULT_POINT("commit.begin");
  if (auto begun = book_->begin(); !begun) return begun;
  std::vector<std::pair<size_t, error>> refused;
  for (size_t i = 0; i < group_.size(); ++i) {
    auto applied = group_[i].apply();
    if (applied) continue;
    if (is_disk_full(applied.error()) || std::exchange(ledger_failed_, false)) {
      book_->rollback();
      return applied;
    }
    refused.emplace_back(i, std::move(applied.error()));
  }
  COHORT_FAULT_POINT("commit.applied");
  if (auto committed = book_->commit(); !committed) {
    book_->rollback();
    return committed;
  }
  COHORT_FAULT_POINT("commit.done");
  for (size_t i = 0; i < group_.size(); ++i) {
    const auto problem =
        std::find_if(refused.begin(), refused.end(), [i](const auto& entry) { return entry.first == i; });
    group_[i].answer(problem == refused.end() ? nullptr : &problem->second);
  }
  COHORT_FAULT_POINT("commit.acknowledged");
  return {};
}

bool recorder_state::make_room() {
  std::error_code ignored;
  if (!fs::exists(options_.place.ballast_file(), ignored)) return false;
  release_ballast(options_.place);
  log_error("the disk is full; the reserve is used to store paid answers");
  self_->send(coordinator_, halt{ec::disk_full,
                                 "the disk is full; every paid answer is stored. Free some space and run "
                                 "the same command again"});
  return true;
}

/// The outcome of a record, with a note if it concerns more than this record.
template <class Outcome>
Outcome recorder_state::noted(Outcome outcome) {
  ledger_failed_ = !outcome && may_pass(outcome.error().code);
  return outcome;
}

/// Nothing was sent for an intent yet, so nothing is lost with it.
void recorder_state::refuse_unpaid(const error& problem) {
  for (const auto& entry : urgent_) entry.answer(&problem);
  urgent_.clear();
  for (const auto& entry : group_)
    if (entry.unpaid) entry.answer(&problem);
  std::erase_if(group_, [](const pending& entry) { return entry.unpaid; });
}

void recorder_state::retry_later(const error& problem) {
  if (!trouble_told_) {
    trouble_told_ = true;
    log_error("{}", problem.message);
    self_->send(coordinator_,
                halt{problem.code, problem.message + " (paid answers are kept in memory and tried again each second; a "
                                                     "second Ctrl-C gives them up, and they stay charged)"});
  }
  refuse_unpaid(problem);
  flush_later_ = true;
  self_->delayed_send(caf::actor_cast<recorder_actor>(self_), trouble_pause, recorder_flush{});
}

void recorder_state::give_up() {
  giving_up_ = true;
  flush();
}

/// A ledger that was taken away is written on where it is; nothing new begins.
void recorder_state::look_after_ledger() {
  if (displaced_) return;
  const auto place = book_->whereabouts();
  if (place == ledger_place::there) return;
  displaced_ = true;
  const auto file = options_.place.ledger_file().string();
  self_->send(
      coordinator_,
      place == ledger_place::moved
          ? halt{ec::io, fmt::format("the ledger '{}' was moved to '{}' while the run was at work; all that is paid is "
                                     "in it. Move it back, or run the command there",
                                     file, book_->path_now().string())}
          : halt{ec::io, fmt::format("the ledger '{}' was deleted while the run was at work; all that is paid is kept, "
                                     "and put back in its place at the end of the run",
                                     file)});
}

expected<void> recorder_state::put_back() {
  if (book_->whereabouts() != ledger_place::deleted) return {};
  auto back = book_->put_back();
  if (!back) return tl::unexpected{back.error()};
  log_warning("the ledger was deleted; all of it is in '{}' again", back->string());
  if (*back != options_.place.ledger_file())
    return fail(ec::io,
                fmt::format("another ledger has taken its place, so this run's is kept in '{}'", back->string()));
  displaced_ = false;
  return {};
}

expected<std::string> recorder_state::assembled(const task_spec& spec, const std::string& extracted) {
  if (spec.parts <= 1) return extracted;
  auto siblings = book_->answered_parts(options_.run, spec.target);
  if (!siblings) return tl::unexpected{siblings.error()};
  std::vector<std::string> parts;
  for (const auto& sibling : *siblings) {
    if (sibling.spec.id == spec.id) {
      parts.push_back(extracted);
      continue;
    }
    // A sibling whose answer is not usable has its own outcome; the file is made of the others.
    if (auto usable = context_->craft->extract(sibling.spec, sibling.answer)) parts.push_back(std::move(*usable));
  }
  return context_->craft->assemble(spec, parts);
}

/// A file that was synced is as we or the user left it, also when it is empty.
bool recorder_state::may_be_torn(const std::string& path) const {
  const auto files = book_->unsynced();
  return files && std::any_of(files->begin(), files->end(), [&](const auto& file) { return file.path == path; });
}

expected<delivery> recorder_state::write_target(const deliver_text& wish) {
  const auto known = open_tasks_.find(wish.what.task);
  if (known == open_tasks_.end()) return fail(ec::task_unknown, "a file was to be written for a task that is not open");
  const auto& spec = known->second.spec;
  if (displaced_) return fail(ec::io, "the ledger is not in its place, so no file is written; the answer is kept");
  auto content = assembled(spec, wish.extracted);
  if (!content) return tl::unexpected{content.error()};
  delivery written{wish.what.task, {}, sha256(*content), false};
  for (uint32_t n = 1; n <= most_alternatives; ++n) {
    const auto relative = n == 1 ? spec.target : context_->craft->alternative(spec.target, n);
    auto path = result_path(options_.place, options_.output, relative);
    if (!path) return tl::unexpected{path.error()};
    written.path = path->string();
    written.beside = n > 1;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(*path, ignored))) {
      const auto present = read_file(*path);
      if (present && sha256(*present) == written.content) return written;
      const auto ours = book_->delivered_content(written.path);
      if (!ours) return tl::unexpected{ours.error()};
      // A link that the user put there is theirs, whatever it leads to.
      const bool link = fs::is_symlink(fs::symlink_status(*path, ignored));
      const bool untouched = present && *ours && !link && sha256(*present) == **ours;
      const bool torn = present && *ours && !link && looks_torn(*present) && may_be_torn(written.path);
      if (!untouched && !torn) continue;
    }
    if (auto done = replace_file(*path, *content, durability::later); !done) return tl::unexpected{done.error()};
    return written;
  }
  return fail(ec::io, "every name for '" + spec.target + "' is taken by files that are not ours");
}

void recorder_state::begin_sync() {
  if (displaced_ || !syncing_.empty() || steady_clock::now() - sync_begun_ < sync_interval) return;
  auto files = book_->unsynced();
  if (!files || files->empty()) return;
  sync_begun_ = steady_clock::now();
  syncing_ = std::move(*files);
  if (sync_.joinable()) sync_.join();
  sync_ = std::thread{[folder = options_.output, home = caf::actor_cast<recorder_actor>(self_)] {
    const auto done = sync_file_system(folder);
    caf::anon_send(home, done ? sync_ended{} : sync_ended{done.error().code, done.error().message});
  }};
}

void recorder_state::on_sync_ended(const sync_ended& how) {
  const auto covered = std::exchange(syncing_, {});
  if (how.code == ec::not_found || displaced_) return;  // The folder was deleted: `sync_now` sees to that.
  if (how.code != ec::none) {
    self_->send(coordinator_, halt{how.code, how.message});
    return;
  }
  const auto leave = [](const error*) {};  // What could not be marked is synced and marked once more.
  enqueue({[this, covered] { return book_->mark_synced(covered); }, leave}, urgency::may_wait);
}

expected<void> recorder_state::sync_now() {
  if (sync_.joinable()) sync_.join();
  if (displaced_) return {};
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  if (files->empty()) return {};
  auto done = sync_file_system(options_.output);
  if (!done && done.error().code == ec::not_found) {
    // The folder was deleted: what it held since the last sync is written again.
    if (auto restored = restore_torn_files(); !restored) return restored;
    done = sync_file_system(options_.output);
  }
  if (!done) return done;
  return book_->mark_synced(*files);
}

caf::result<recorded> recorder_state::close(const close_batch& wish) {
  // Batches that end in quick succession share one sync; what is not synced yet is looked at after a crash.
  begin_sync();
  for (const auto& id : open_batches_[wish.batch]) open_tasks_.erase(id);
  open_batches_.erase(wish.batch);
  if (auto shown = publish(false); !shown) return to_caf(shown.error());
  return recorded{};
}

caf::result<recorded> recorder_state::close(const close_run& wish) {
  do flush();
  while (group_.empty() && !(urgent_.empty() && patient_.empty()));
  if (auto synced = sync_now(); !synced) return to_caf(synced.error());
  if (auto stored = book_->update_run(options_.run, context_->settings, wish.status); !stored)
    return to_caf(stored.error());
  COHORT_FAULT_POINT("run.closed");
  if (displaced_)
    if (auto back = put_back(); !back) return to_caf(back.error());
  auto run = book_->newest_run();
  if (!run) return to_caf(run.error());
  view_ = std::move(*run);
  if (auto shown = publish(true); !shown) return to_caf(shown.error());
  return recorded{};
}

expected<void> recorder_state::publish(bool now) {
  if (!view_ || displaced_) return {};
  published_ = steady_clock::now();
  view_->updated = wall_now();
  return replace_file(options_.place.view_file(), render_view(*view_), now ? durability::now : durability::later);
}

void recorder_state::note_cost(uint32_t batch, const std::string& model, nano_dollars cost) {
  view_->batches[batch].spent.confirmed += cost;
  auto& share = view_->by_model[model.empty() ? view_->model_id : model];
  ++share.answers;
  share.cost += cost;
}

template <class Record>
void recorder_state::note(const Record& stored, bool fresh) {
  if constexpr (std::is_same_v<Record, attempt_done>) {
    note_state(stored.task, task_state::answered);
    const auto known = open_tasks_.find(stored.task);
    if (fresh && view_ && known != open_tasks_.end()) note_cost(known->second.batch, stored.model, stored.cost);
  } else if constexpr (std::is_same_v<Record, task_ended>) {
    note_state(stored.task, stored.state);
  }
}

void recorder_state::note_state(const task_id& id, task_state state) {
  const auto known = open_tasks_.find(id);
  if (known == open_tasks_.end() || known->second.state == state) return;
  if (view_ && known->second.batch < view_->batches.size()) {
    auto& counts = view_->batches[known->second.batch].tasks;
    --counts.of(known->second.state);
    ++counts.of(state);
  }
  known->second.state = state;
}

recorder_actor::behavior_type recorder(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                                       std::shared_ptr<ledger> book, recorder_options options,
                                       coordinator_actor coordinator) {
  self->state.start(self, std::move(context), std::move(book), std::move(options), std::move(coordinator));
  return {
      [self](const open_batch& wish) { return self->state.open(wish); },
      [self](intent& x) { return self->state.store(std::move(x)); },
      [self](attempt_done& x) { return self->state.store(std::move(x)); },
      [self](attempt_failed& x) { return self->state.store_failure(std::move(x)); },
      [self](task_ended& x) { return self->state.store(std::move(x)); },
      [self](late_report& x) { return self->state.store_late(std::move(x)); },
      [self](deliver_text& x) { return self->state.deliver_file(std::move(x)); },
      [self](const close_batch& wish) { return self->state.close(wish); },
      [self](const close_run& wish) { return self->state.close(wish); },
      [self](const recorder_flush&) { self->state.flush(); },
      [self](const sync_ended& how) { self->state.on_sync_ended(how); },
      [self](const stop_now&) { self->state.give_up(); },
  };
}

}  // namespace cohort
