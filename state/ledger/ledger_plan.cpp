// Runs and their plans. A plan is one transaction: it is there whole or not at all.

#include <algorithm>

#include <fmt/format.h>

#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

constexpr const char* insert_run =
    "INSERT INTO run(batch_id, model_id, started, updated, status, first_task, last_task, batch_size, model, "
    "concurrent, timeout, min_complexity, cost_limit, budget, on_limit, parallel_batches, output_directory, effort, "
    "fallback, workload, signature) VALUES(?, ?, ?, ?, 0, 0, -1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'generate-tests', "
    "0)";
constexpr const char* change_run =
    "UPDATE run SET updated = ?, status = ?, batch_size = ?, model = ?, concurrent = ?, timeout = ?, min_complexity = "
    "?, cost_limit = ?, budget = ?, on_limit = ?, parallel_batches = ?, output_directory = ?, effort = ?, fallback = ? "
    "WHERE id = ?";
constexpr const char* insert_task =
    "INSERT INTO task(run, id, batch, state, changed, code, conflict_copy, answer, input_tokens, output_tokens, low, "
    "expected, worst, "
    "reason, signature) VALUES(?, ?, 0, 0, 0, 0, 0, 0, ?, ?, ?, ?, ?, '', 0)";
constexpr const char* insert_spec =
    "INSERT INTO spec(task, label, source, source_digest, target, part, parts, complexity, model, max_tokens, cache, "
    "effort, traits, prefix, prompt_check, signature, prompt) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
    "row_signature('prompt', ?1, ?15), 0, ?15)";

void bind_settings(statement& to, const run_settings& x) {
  to.whole(x.batch_size).text(x.model).whole(x.concurrent).whole(int64_t{x.timeout.count()}).whole(x.min_complexity);
  to.money(x.cost_limit).money(x.budget).whole(static_cast<uint32_t>(x.on_limit)).whole(x.parallel_batches);
  to.blob(x.output_directory).text(x.effort).text(x.fallback);
}

/// "batch-1735689600000"; a millisecond later if a run of this ledger has that name.
std::string name_run(const SQLite::Database& database, int64_t now) {
  SQLite::Statement taken{database, "SELECT 1 FROM run WHERE batch_id = ?"};
  for (;; ++now) {
    auto name = fmt::format("batch-{}", now);
    taken.reset();
    taken.bind(1, name);
    if (!taken.executeStep()) return name;
  }
}

/// The index of each batch is used, from 0 on without a gap.
bool contiguous(const std::vector<uint32_t>& batch_of) {
  if (batch_of.empty()) return true;
  const auto last = *std::max_element(batch_of.begin(), batch_of.end());
  if (last >= batch_of.size()) return false;
  std::vector<bool> used(size_t{last} + 1, false);
  for (const auto batch : batch_of) used[batch] = true;
  return std::all_of(used.begin(), used.end(), [](bool is_used) { return is_used; });
}

}  // namespace

expected<int64_t> ledger::begin_plan(const run_settings& settings, const std::string& model_id) {
  if (auto opened = begin(); !opened) return tl::unexpected{opened.error()};
  auto planned = self_->guard("store the plan", [&]() -> expected<int64_t> {
    const auto now = wall_now().ms;
    auto& database = self_->file.database();
    const auto name = name_run(database, now);
    statement insert{self_->prepared(insert_run)};
    insert.text(name).text(model_id).whole(now).whole(now);
    bind_settings(insert, settings);
    insert.run();
    const auto run = database.getLastInsertRowid();
    self_->draft = impl::plan{.run = run, .first_task = 0, .tasks = {}, .prefixes = {}};
    return run;
  });
  if (!planned) rollback();
  return planned;
}

/// Plans share their prefixes, also over runs. One that stands there is used only if it says what it should.
expected<int64_t> ledger::impl::prefix_row(const digest& digest, const std::string& text) const {
  statement known{prepared("SELECT id FROM prefix WHERE digest = ?")};
  if (known.blob(digest).next()) {
    const auto id = known.whole();
    const auto stored = prefix_text(id);
    if (!stored) return tl::unexpected{stored.error()};
    return id;
  }
  statement{prepared("INSERT INTO prefix(digest, text, signature) VALUES(?, ?, 0)")}.blob(digest).blob(text).run();
  const auto id = file.database().getLastInsertRowid();
  sign(ledger_table::prefix, id);
  return id;
}

expected<void> ledger::add_task(const task_spec& task) {
  if (!self_->draft) return fail(ec::usage, "a task was added without a plan that is open");
  auto& plan = *self_->draft;
  return self_->guard("store the plan", [&]() -> expected<void> {
    auto& database = self_->file.database();
    const auto& estimate = task.estimate;
    statement known{self_->prepared("SELECT 1 FROM task WHERE id = ? AND run = ?")};
    if (known.identity(task.id).whole(plan.run).next())
      return fail(ec::usage, fmt::format("the plan has the task {} ('{}') twice", to_string(task.id), task.label));
    statement insert{self_->prepared(insert_task)};
    insert.whole(plan.run).identity(task.id).whole(estimate.input_tokens).whole(estimate.output_tokens);
    insert.money(estimate.low).money(estimate.expected).money(estimate.worst).run();
    const auto key = database.getLastInsertRowid();
    if (plan.tasks.empty()) plan.first_task = key;

    const auto digest = sha256(task.request.shared_prefix);
    auto [prefix, fresh] = plan.prefixes.try_emplace(to_hex(digest), 0);
    if (fresh) {
      auto stored = self_->prefix_row(digest, task.request.shared_prefix);
      if (!stored) return tl::unexpected{stored.error()};
      prefix->second = *stored;
    }
    const auto traits = pack(task.traits);
    statement spec{self_->prepared(insert_spec)};
    spec.whole(key).blob(task.label).blob(task.source).blob(task.source_digest).blob(task.target);
    spec.whole(task.part).whole(task.parts).whole(task.complexity).text(task.request.model);
    spec.whole(task.request.max_tokens).whole(static_cast<uint32_t>(task.request.cache)).text(task.request.effort);
    spec.blob(traits).whole(prefix->second).blob(task.request.prompt).run();
    self_->sign(ledger_table::spec, key);
    plan.tasks.push_back(task.id);
    return {};
  });
}

expected<void> ledger::commit_plan(const std::vector<uint32_t>& batch_of) {
  if (!self_->draft) return fail(ec::usage, "there is no open plan to commit");
  const auto& plan = *self_->draft;
  if (batch_of.size() != plan.tasks.size() || !contiguous(batch_of))
    return fail(ec::usage, fmt::format("{} batch numbers for {} tasks, or a batch without a task", batch_of.size(),
                                       plan.tasks.size()));
  auto stored = self_->guard("store the plan", [&]() -> expected<void> {
    for (size_t i = 0; i < batch_of.size(); ++i) {
      const auto key = plan.first_task + static_cast<int64_t>(i);
      if (batch_of[i] != 0)
        statement{self_->prepared("UPDATE task SET batch = ? WHERE key = ?")}.whole(batch_of[i]).whole(key).run();
      self_->sign(ledger_table::task, key);
    }
    const auto last = plan.first_task + static_cast<int64_t>(plan.tasks.size()) - 1;
    statement{self_->prepared("UPDATE run SET first_task = ?, last_task = ? WHERE id = ?")}
        .whole(plan.first_task)
        .whole(last)
        .whole(plan.run)
        .run();
    self_->sign(ledger_table::run, plan.run);
    self_->count_commit();
    statement{self_->prepared("COMMIT")}.run();
    return {};
  });
  if (!stored) rollback();
  self_->draft.reset();
  return stored;
}

expected<void> ledger::update_run(int64_t run, const run_settings& settings, run_status status) {
  if (auto begun = begin(); !begun) return begun;
  auto stored = self_->guard("store the run's settings", [&]() -> expected<void> {
    statement update{self_->prepared(change_run)};
    update.whole(wall_now().ms).whole(static_cast<uint32_t>(status));
    bind_settings(update, settings);
    if (update.whole(run).run() == 0) return fail(ec::usage, fmt::format("the ledger has no run {}", run));
    self_->sign(ledger_table::run, run);
    return {};
  });
  if (stored) stored = commit();
  if (!stored) rollback();
  return stored;
}

}  // namespace cohort::state
