// What a ledger tells. Sums are made from the rows each time; none is stored, so none can disagree.

#include <unordered_set>

#include <fmt/format.h>

#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

const std::string last_run = fmt::format(
    "SELECT id, batch_id, model_id, started, updated, status, first_task, last_task, batch_size, model, concurrent, "
    "timeout, min_complexity, cost_limit, budget, on_limit, parallel_batches, output_directory, effort, fallback, {}, "
    "workload "
    "FROM run ORDER BY id DESC LIMIT 1",
    sound_sql(ledger_table::run));
const std::string tasks_between = fmt::format(
    "SELECT batch, state, changed, file, input_tokens, output_tokens, low, expected, worst, {}, run FROM task WHERE "
    "key "
    "BETWEEN ? AND ?",
    sound_sql(ledger_table::task));
const std::string attempts_between =
    fmt::format("SELECT task, outcome, reserved, cost, {}, model FROM attempt WHERE task BETWEEN ? AND ?",
                sound_sql(ledger_table::attempt));

/// What `read_short` reads.
const std::string short_columns = fmt::format(
    "t.key, t.id, t.batch, t.state, t.code, t.reason, {} AND {}, "
    "(SELECT max(number) FROM attempt WHERE task = t.key), t.input_tokens, t.output_tokens, t.low, t.expected, "
    "t.worst, s.label, s.source, s.source_digest, s.target, s.part, s.parts, s.complexity, s.model, s.max_tokens, "
    "s.cache, s.effort, s.traits",
    sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::spec, "s"));
/// What `read_tasks` reads besides.
const std::string long_columns = fmt::format("s.prompt_check IS {}, s.prefix, s.prompt, a.number, {}, a.stop, a.text",
                                             prompt_check_sql("s"), sound_sql(ledger_table::answer, "a"));

const std::string tasks_of_batch = fmt::format(
    "SELECT {}, {} FROM task t JOIN spec s ON s.task = t.key LEFT JOIN answer a ON a.task = t.key AND "
    "a.number = t.answer AND t.state = 1 WHERE t.run = ? AND t.batch = ? ORDER BY t.key",
    short_columns, long_columns);
const std::string parts_of_target = fmt::format(
    "SELECT {}, {} FROM spec s JOIN task t ON t.key = s.task JOIN answer a ON a.task = t.key AND "
    "a.number = t.answer WHERE s.target = ?2 AND t.run = ?1 AND t.state IN (1, 2) ORDER BY s.part, t.key",
    short_columns, long_columns);
const std::string tasks_of_run =
    fmt::format("SELECT {} FROM task t JOIN spec s ON s.task = t.key WHERE t.run = ? ORDER BY t.key", short_columns);

/// The columns of `short_columns`, and whether the signatures hold.
struct short_task {
  task_record record;
  bool sound = false;
};

short_task read_short(statement& row) {
  short_task task;
  auto& [record, sound] = task;
  auto& spec = record.spec;
  (void)row.whole();  // its key
  spec.id = row.identity();
  record.batch = row.as<uint32_t>();
  record.state = row.as<task_state>();
  record.code = row.as<ec>();
  record.reason = row.bytes();
  sound = row.whole() != 0;
  record.attempts = row.as<uint32_t>();
  auto& estimate = spec.estimate;
  estimate.input_tokens = row.as<uint64_t>();
  estimate.output_tokens = row.as<uint64_t>();
  estimate.low = row.money();
  estimate.expected = row.money();
  estimate.worst = row.money();
  spec.label = row.bytes();
  spec.source = row.bytes();
  spec.source_digest = row.hash();
  spec.target = row.bytes();
  spec.part = row.as<uint32_t>();
  spec.parts = row.as<uint32_t>();
  spec.complexity = row.as<uint32_t>();
  spec.request.model = row.bytes();
  spec.request.max_tokens = row.as<uint32_t>();
  spec.request.cache = row.as<cache_mode>();
  spec.request.effort = row.bytes();
  auto unpacked = unpack(row.bytes());
  sound = sound && unpacked.has_value();
  if (unpacked) spec.traits = std::move(*unpacked);
  return task;
}

run_settings read_settings(statement& row) {
  run_settings x;
  x.batch_size = row.as<uint32_t>();
  x.model = row.bytes();
  x.concurrent = row.as<uint32_t>();
  x.timeout = milliseconds{row.whole()};
  x.min_complexity = row.as<uint32_t>();
  x.cost_limit = row.money_or_none();
  x.budget = row.money_or_none();
  x.on_limit = row.as<limit_policy>();
  x.parallel_batches = row.as<uint32_t>();
  x.output_directory = row.bytes();
  x.effort = row.bytes();
  x.fallback = row.bytes();
  return x;
}

}  // namespace

expected<std::optional<run_record>> ledger::newest_run() const {
  return self_->guard("read the newest run", [&]() -> expected<std::optional<run_record>> {
    statement row{self_->prepared(last_run)};
    if (!row.next()) return std::optional<run_record>{};
    run_record run;
    run.id = row.whole();
    run.batch_id = row.bytes();
    run.model_id = row.bytes();
    run.project = self_->project.string();
    run.started = {row.whole()};
    run.updated = {row.whole()};
    run.status = row.as<run_status>();
    const auto first = row.whole();
    const auto last = row.whole();
    run.settings = read_settings(row);
    if (row.whole() == 0) return self_->corrupt("the settings of the run were altered");
    run.workload = row.bytes();
    if (auto summed = self_->sum_tasks(run, first, last); !summed) return tl::unexpected{summed.error()};
    if (auto summed = self_->sum_attempts(run, first, last); !summed) return tl::unexpected{summed.error()};
    self_->sum_duplicates(run, first, last);
    return run;
  });
}

expected<spending> ledger::spent_on_replaced_plans(int64_t run) const {
  static const auto replaced = fmt::format(
      "SELECT a.outcome, a.cost, a.reserved, {} AND {} FROM attempt a JOIN task t ON t.key = a.task "
      "WHERE t.run < ?1 AND t.run > coalesce((SELECT max(r.id) FROM run r WHERE r.id < ?1 AND NOT EXISTS "
      "(SELECT 1 FROM task open WHERE open.run = r.id AND open.state NOT IN (2, 3, 4))), 0)",
      sound_sql(ledger_table::attempt, "a"), sound_sql(ledger_table::task, "t"));
  return self_->guard("read what earlier plans cost", [&]() -> expected<spending> {
    statement row{self_->prepared(replaced)};
    row.whole(run);
    spending sum;
    while (row.next()) {
      const auto how = row.as<attempt_outcome>();
      const auto cost = row.money();
      const auto reserved = row.money();
      if (row.whole() == 0) return self_->corrupt("the money of an attempt was altered");
      switch (how) {
        case attempt_outcome::answered: sum.confirmed += cost; break;
        case attempt_outcome::open:
        case attempt_outcome::unconfirmed: sum.unconfirmed += reserved; break;
        case attempt_outcome::free: break;
      }
    }
    return sum;
  });
}

expected<void> ledger::impl::sum_tasks(run_record& run, int64_t first, int64_t last) const {
  std::unordered_set<int64_t> unsynced_files;
  statement files{prepared("SELECT id FROM file WHERE synced = 0")};  // A hint only; `unsynced` checks the rows.
  while (files.next()) unsynced_files.insert(files.whole());
  statement row{prepared(tasks_between)};
  row.whole(first).whole(last);
  int64_t tasks = 0;
  while (row.next()) {
    const auto index = row.as<uint32_t>();
    const auto state = row.as<task_state>();
    run.updated = std::max(run.updated, wall_time{row.whole()});
    const auto file_row = row.whole();
    if (index > static_cast<uint64_t>(last - first)) return corrupt("a task names an impossible batch");
    while (run.batches.size() <= index)
      run.batches.push_back({.index = static_cast<uint32_t>(run.batches.size()),
                             .tasks = {},
                             .spent = {},
                             .estimate = {},
                             .synced = true});
    auto& batch = run.batches[index];
    ++batch.tasks.of(state);
    if (!is_final(state) || unsynced_files.count(file_row) != 0) batch.synced = false;
    batch.estimate.input_tokens += row.as<uint64_t>();
    batch.estimate.output_tokens += row.as<uint64_t>();
    batch.estimate.low += row.money();
    batch.estimate.expected += row.money();
    batch.estimate.worst += row.money();
    if (row.whole() == 0 || row.whole() != run.id) return corrupt("the state of a task was altered");
    ++tasks;
  }
  if (tasks != last - first + 1) return corrupt("tasks of the plan are missing");
  return {};
}

expected<void> ledger::impl::sum_attempts(run_record& run, int64_t first, int64_t last) const {
  std::vector<uint32_t> batch_of(static_cast<size_t>(last - first + 1));
  statement tasks{prepared("SELECT key, batch FROM task WHERE key BETWEEN ? AND ?")};
  tasks.whole(first).whole(last);
  while (tasks.next()) {
    const auto key = tasks.whole();
    batch_of[static_cast<size_t>(key - first)] = tasks.as<uint32_t>();
  }
  statement row{prepared(attempts_between)};
  row.whole(first).whole(last);
  while (row.next()) {
    const auto task = row.whole();
    const auto how = row.as<attempt_outcome>();
    const auto reserved = row.money();
    const auto cost = row.money();
    if (row.whole() == 0) return corrupt("the money of an attempt was altered");
    auto& spent = run.batches[batch_of[static_cast<size_t>(task - first)]].spent;
    switch (how) {
      case attempt_outcome::answered: {
        spent.confirmed += cost;
        auto model = row.bytes();
        auto& share = run.by_model[model.empty() ? run.model_id : model];
        ++share.answers;
        share.cost += cost;
        break;
      }
      case attempt_outcome::open:
      case attempt_outcome::unconfirmed: spent.unconfirmed += reserved; break;
      case attempt_outcome::free: break;
    }
  }
  return {};
}

void ledger::impl::sum_duplicates(run_record& run, int64_t first, int64_t last) const {
  static const auto spare = fmt::format(
      "SELECT count(*), coalesce(sum(cost), 0) FROM attempt WHERE duplicate = 1 AND task BETWEEN ? AND ? AND {}",
      sound_sql(ledger_table::attempt));
  statement row{prepared(spare)};
  if (!row.whole(first).whole(last).next()) return;
  run.duplicate_answers = row.as<uint32_t>();
  run.duplicate_cost = row.money();
}

expected<std::vector<in_doubt_attempt>> ledger::in_doubt(int64_t run) const {
  static const auto held_by_nodes = fmt::format(
      "SELECT t.id, a.number, a.holder, a.outcome, {} AND {} FROM task t JOIN attempt a ON a.task = t.key "
      "WHERE t.run = ? AND t.state IN (0, 5) AND a.outcome IN (0, 3) AND a.holder != ''",
      sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::attempt, "a"));
  return self_->guard("read what nodes may hold", [&]() -> expected<std::vector<in_doubt_attempt>> {
    std::vector<in_doubt_attempt> found;
    statement row{self_->prepared(held_by_nodes)};
    row.whole(run);
    while (row.next()) {
      in_doubt_attempt one;
      one.task = row.identity();
      one.attempt = row.as<uint32_t>();
      one.holder = row.bytes();
      one.open = row.as<attempt_outcome>() == attempt_outcome::open;
      if (row.whole() == 0) return self_->corrupt("what a node was given was altered");
      found.push_back(std::move(one));
    }
    return found;
  });
}

expected<std::string> ledger::identity() const {
  return self_->guard("read the ledger's identity",
                      [&]() -> expected<std::string> { return self_->file.meta("ledger_id"); });
}

expected<bool> ledger::delivered_before(const task_id& id) const {
  static const auto delivered =
      fmt::format("SELECT {} FROM task WHERE id = ? AND state = 2", sound_sql(ledger_table::task));
  return self_->guard("look up a task", [&]() -> expected<bool> {
    statement row{self_->prepared(delivered)};
    if (!row.identity(id).next()) return false;
    if (row.whole() == 0) return self_->corrupt("the state of a task was altered");
    return true;
  });
}

expected<delivered_work> ledger::delivered() const {
  static const auto delivered_tasks =
      fmt::format("SELECT {} FROM task t JOIN spec s ON s.task = t.key WHERE t.state = 2", short_columns);
  return self_->guard("read what is delivered", [&]() -> expected<delivered_work> {
    delivered_work work;
    statement rows{self_->prepared(delivered_tasks)};
    while (rows.next()) {
      const auto task = read_short(rows);
      if (!task.sound) return self_->corrupt("a task that was delivered was altered");
      work.add(task.record.spec);
    }
    return work;
  });
}

expected<std::string> ledger::impl::prefix_text(int64_t id) const {
  static const auto by_id =
      fmt::format("SELECT digest, text, {} FROM prefix WHERE id = ?", sound_sql(ledger_table::prefix));
  statement row{prepared(by_id)};
  if (!row.whole(id).next()) return corrupt("a shared prefix is missing");
  const auto digest = row.hash();
  auto text = row.bytes();
  if (row.whole() == 0 || sha256(text) != digest) return corrupt("a shared prefix was altered");
  return text;
}

expected<std::vector<task_record>> ledger::impl::read_tasks(statement& rows) const {
  std::vector<task_record> tasks;
  std::unordered_map<int64_t, std::string> prefixes;
  while (rows.next()) {
    auto task = read_short(rows);
    auto& spec = task.record.spec;
    const bool prompt_sound = rows.whole() != 0;
    const auto prefix = rows.whole();
    spec.request.prompt = rows.bytes();
    const auto attempt = rows.as<uint32_t>();
    const bool answer_sound = rows.whole() != 0;
    task.record.stop = rows.as<stop_reason>();
    task.record.answer = rows.bytes();
    if (!task.sound || !prompt_sound) return corrupt("a planned task was altered");
    const bool answered = attempt != 0;
    if (answered && !answer_sound) return corrupt("a stored answer was altered");
    if (!answered && task.record.state == task_state::answered) return corrupt("a stored answer is missing");
    if (prefixes.count(prefix) == 0) {
      auto text = prefix_text(prefix);
      if (!text) return tl::unexpected{text.error()};
      prefixes.emplace(prefix, std::move(*text));
    }
    spec.request.shared_prefix = prefixes.at(prefix);
    tasks.push_back(std::move(task.record));
  }
  return tasks;
}

expected<void> ledger::impl::add_past(int64_t run, uint32_t batch, std::vector<task_record>& tasks) const {
  static const auto attempts_of_batch = fmt::format(
      "SELECT t.id, a.number, a.kind, a.outcome, a.max_tokens, a.stop, a.model, {} FROM task t JOIN attempt a ON "
      "a.task = t.key WHERE t.run = ? AND t.batch = ? AND t.state IN (0, 1, 5) ORDER BY t.key, a.number",
      sound_sql(ledger_table::attempt, "a"));
  std::unordered_map<task_id, task_record*> by_id;
  for (auto& task : tasks) by_id.emplace(task.spec.id, &task);
  statement row{prepared(attempts_of_batch)};
  row.whole(run).whole(batch);
  while (row.next()) {
    const auto task = by_id.find(row.identity());
    past_attempt past;
    past.number = row.as<uint32_t>();
    past.kind = row.as<attempt_kind>();
    past.how = row.as<attempt_outcome>();
    past.max_tokens = row.as<uint32_t>();
    past.stop = row.as<stop_reason>();
    past.model = row.bytes();
    if (row.whole() == 0) return corrupt("what an attempt asked was altered");
    if (task != by_id.end()) task->second->past.push_back(std::move(past));
  }
  return {};
}

expected<std::vector<task_record>> ledger::load_batch(int64_t run, uint32_t batch) const {
  return self_->guard("read a batch", [&]() -> expected<std::vector<task_record>> {
    statement rows{self_->prepared(tasks_of_batch)};
    rows.whole(run).whole(batch);
    auto tasks = self_->read_tasks(rows);
    if (!tasks) return tasks;
    if (auto added = self_->add_past(run, batch, *tasks); !added) return tl::unexpected{added.error()};
    return tasks;
  });
}

expected<std::vector<task_record>> ledger::answered_parts(int64_t run, const std::string& target) const {
  return self_->guard("read the parts of a file", [&]() -> expected<std::vector<task_record>> {
    statement rows{self_->prepared(parts_of_target)};
    rows.whole(run).blob(target);
    return self_->read_tasks(rows);
  });
}

expected<void> ledger::for_each_task(int64_t run, const std::function<void(const task_record&)>& visit) const {
  return self_->guard("read the tasks", [&]() -> expected<void> {
    statement rows{self_->prepared(tasks_of_run)};
    rows.whole(run);
    while (rows.next()) {
      const auto task = read_short(rows);
      if (!task.sound) return self_->corrupt("the state of a task was altered");
      visit(task.record);
    }
    return {};
  });
}

expected<std::optional<std::string>> ledger::answer_of(int64_t run, const task_id& id) const {
  return self_->guard("read an answer", [&]() -> expected<std::optional<std::string>> {
    static const auto by_task = fmt::format(
        "SELECT a.text, {} FROM task t JOIN answer a ON a.task = t.key AND a.number = t.answer "
        "WHERE t.id = ? AND t.run = ?",
        sound_sql(ledger_table::answer, "a"));
    statement row{self_->prepared(by_task)};
    if (!row.identity(id).whole(run).next()) return std::optional<std::string>{};
    auto text = row.bytes();
    if (row.whole() == 0) return self_->corrupt("a stored answer was altered");
    return text;
  });
}

}  // namespace cohort::state
