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
constexpr auto full_disk_pause = std::chrono::seconds{1};
constexpr uint64_t largest_source = 16 << 20;
constexpr uint32_t most_alternatives = 1000;

bool is_disk_full(const error& problem) { return problem.code == ec::disk_full; }

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
  if (auto restored = restore_torn_files(); !restored) log_warning("{}", restored.error().message);
  if (auto published = publish(true); !published) log_warning("{}", published.error().message);
}

expected<void> recorder_state::restore_torn_files() {
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  std::unordered_map<task_id, std::string> torn;
  for (const auto& file : *files) {
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
    log_warning("'{}' did not survive the last end; it is written again from its stored answer", torn[spec.id]);
    if (auto written = replace_file(torn[spec.id], *content, durability::now); !written) return written;
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
      const auto stored = book_->record(options_.run, entry->what);
      if (!stored) return tl::unexpected{stored.error()};
      entry->fresh = *stored;
      return {};
    } else {
      return book_->record(options_.run, entry->what);
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
  enqueue({apply, answer}, std::is_same_v<Record, intent> ? urgency::soon : urgency::may_wait);
  return promise;
}

caf::typed_response_promise<delivery> recorder_state::deliver_file(deliver_text wish) {
  auto promise = self_->make_response_promise<delivery>();
  auto written = std::make_shared<delivery>();
  pending entry;
  entry.apply = [this, wish = std::move(wish), written]() -> expected<void> {
    auto file = write_target(wish);
    if (!file) return tl::unexpected{file.error()};
    *written = std::move(*file);
    return book_->record(options_.run, *written);
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
  auto outcome = commit_all();
  if (!outcome && is_disk_full(outcome.error()) && make_room()) outcome = commit_all();
  if (!outcome && is_disk_full(outcome.error())) {
    retry_later(outcome.error());
    return;
  }
  if (!outcome)
    for (auto& entry : group_) entry.answer(&outcome.error());
  group_.clear();
}

expected<void> recorder_state::commit_all() {
  COHORT_FAULT_POINT("commit.begin");
  if (auto begun = book_->begin(); !begun) return begun;
  std::vector<std::pair<size_t, error>> refused;
  for (size_t i = 0; i < group_.size(); ++i) {
    auto applied = group_[i].apply();
    if (applied) continue;
    if (is_disk_full(applied.error())) {
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

void recorder_state::retry_later(const error& problem) {
  if (!disk_full_told_) {
    disk_full_told_ = true;
    log_error("{}", problem.message);
    self_->send(coordinator_,
                halt{ec::disk_full, problem.message + " (paid answers are kept in memory until there is space)"});
  }
  flush_later_ = true;
  self_->delayed_send(caf::actor_cast<recorder_actor>(self_), full_disk_pause, recorder_flush{});
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

expected<delivery> recorder_state::write_target(const deliver_text& wish) {
  const auto known = open_tasks_.find(wish.what.task);
  if (known == open_tasks_.end()) return fail(ec::task_unknown, "a file was to be written for a task that is not open");
  const auto& spec = known->second.spec;
  auto content = assembled(spec, wish.extracted);
  if (!content) return tl::unexpected{content.error()};
  delivery written{wish.what.task, {}, sha256(*content), false};
  for (uint32_t n = 1; n <= most_alternatives; ++n) {
    const auto relative = n == 1 ? spec.target : context_->craft->alternative(spec.target, n);
    auto path = join_inside(options_.output, relative);
    if (!path) return tl::unexpected{path.error()};
    written.path = path->string();
    written.beside = n > 1;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(*path, ignored))) {
      const auto present = read_file(*path);
      if (present && sha256(*present) == written.content) return written;
      const auto ours = book_->delivered_content(written.path);
      if (!ours) return tl::unexpected{ours.error()};
      const bool untouched = present && *ours && sha256(*present) == **ours;
      if (!untouched && !(present && *ours && looks_torn(*present))) continue;
    }
    if (auto done = replace_file(*path, *content, durability::later); !done) return tl::unexpected{done.error()};
    return written;
  }
  return fail(ec::io, "every name for '" + spec.target + "' is taken by files that are not ours");
}

void recorder_state::begin_sync() {
  if (!syncing_.empty() || steady_clock::now() - sync_begun_ < sync_interval) return;
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
  if (how.code != ec::none) {
    self_->send(coordinator_, halt{how.code, how.message});
    return;
  }
  const auto leave = [](const error*) {};  // What could not be marked is synced and marked once more.
  enqueue({[this, covered] { return book_->mark_synced(covered); }, leave}, urgency::may_wait);
}

expected<void> recorder_state::sync_now() {
  if (sync_.joinable()) sync_.join();
  const auto files = book_->unsynced();
  if (!files) return tl::unexpected{files.error()};
  if (files->empty()) return {};
  if (auto done = sync_file_system(options_.output); !done) return done;
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
  auto run = book_->newest_run();
  if (!run) return to_caf(run.error());
  view_ = std::move(*run);
  if (auto shown = publish(true); !shown) return to_caf(shown.error());
  return recorded{};
}

expected<void> recorder_state::publish(bool now) {
  if (!view_) return {};
  published_ = steady_clock::now();
  view_->updated = wall_now();
  return replace_file(options_.place.view_file(), render_view(*view_), now ? durability::now : durability::later);
}

void recorder_state::note_cost(uint32_t batch, const attempt_done& paid) {
  view_->batches[batch].spent.confirmed += paid.cost;
  auto& share = view_->by_model[paid.model.empty() ? view_->model_id : paid.model];
  ++share.answers;
  share.cost += paid.cost;
}

template <class Record>
void recorder_state::note(const Record& stored, bool fresh) {
  if constexpr (std::is_same_v<Record, attempt_done>) {
    note_state(stored.task, task_state::answered);
    const auto known = open_tasks_.find(stored.task);
    if (fresh && view_ && known != open_tasks_.end()) note_cost(known->second.batch, stored);
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
      [self](attempt_failed& x) { return self->state.store(std::move(x)); },
      [self](task_ended& x) { return self->state.store(std::move(x)); },
      [self](deliver_text& x) { return self->state.deliver_file(std::move(x)); },
      [self](const close_batch& wish) { return self->state.close(wish); },
      [self](const close_run& wish) { return self->state.close(wish); },
      [self](const recorder_flush&) { self->state.flush(); },
      [self](const sync_ended& how) { self->state.on_sync_ended(how); },
  };
}

}  // namespace cohort
