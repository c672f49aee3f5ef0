// Which tasks of all runs belong to a target, and which of them stand in a file.

#include <fmt/format.h>

#include "state/ledger/ledger_impl.hpp"

namespace cohort::state {

namespace {

const std::string tasks_of_target = fmt::format(
    "SELECT t.run, t.id, t.state, coalesce(f.path, x''), r.output_directory, {} AND {} AND {} AND (f.id IS NULL OR {}) "
    "FROM spec s JOIN task t ON t.key = s.task JOIN run r ON r.id = t.run LEFT JOIN file f ON f.id = t.file AND "
    "t.state = 2 WHERE s.target = ? AND s.source = ? AND t.state "
    "IN (1, 2) ORDER BY s.part, t.key",
    sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::spec, "s"), sound_sql(ledger_table::run, "r"),
    sound_sql(ledger_table::file, "f"));
const std::string file_at = fmt::format(
    "SELECT f.digest, t.run, t.id, s.source, s.target, r.output_directory, t.conflict_copy, {} AND {} AND {} AND {} "
    "FROM file "
    "f JOIN task t ON t.key = f.task JOIN spec s ON s.task = t.key JOIN run r ON r.id = t.run WHERE f.path = ?",
    sound_sql(ledger_table::file, "f"), sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::spec, "s"),
    sound_sql(ledger_table::run, "r"));
const std::string targets_of_several = fmt::format(
    "SELECT DISTINCT s.source, s.target, {} AND {} AND {} FROM task t JOIN file f ON f.id = t.file JOIN spec s ON "
    "s.task = t.key WHERE t.state = 2 AND f.task != t.key ORDER BY s.source, s.target",
    sound_sql(ledger_table::task, "t"), sound_sql(ledger_table::file, "f"), sound_sql(ledger_table::spec, "s"));

}  // namespace

expected<std::vector<target_task>> ledger::tasks_for(const source_target& whose) const {
  return self_->guard("read the tasks of a file", [&]() -> expected<std::vector<target_task>> {
    std::vector<target_task> tasks;
    statement row{self_->prepared(tasks_of_target)};
    row.blob(whose.target).blob(whose.source);
    while (row.next()) {
      target_task one;
      one.run = row.whole();
      one.task = row.identity();
      one.state = row.as<task_state>();
      if (auto path = row.bytes(); !path.empty()) one.path = self_->shown_path(path);
      one.output_directory = row.bytes();
      if (row.whole() == 0) return self_->corrupt("a task that was delivered was altered");
      tasks.push_back(std::move(one));
    }
    return tasks;
  });
}

expected<std::optional<result_file>> ledger::result_at(const std::string& path) const {
  return self_->guard("look up a file", [&]() -> expected<std::optional<result_file>> {
    const auto stored = self_->stored_path(path);
    statement row{self_->prepared(file_at)};
    if (!row.blob(stored).next()) return std::optional<result_file>{};
    result_file found;
    found.content = row.hash();
    found.run = row.whole();
    found.task = row.identity();
    found.source = row.bytes();
    found.target = row.bytes();
    found.output_directory = row.bytes();
    found.conflict_copy = row.whole() != 0;
    if (row.whole() == 0) return self_->corrupt("the record of a delivered file was altered");
    return found;
  });
}

expected<void> ledger::set_targets(const std::vector<target_task>& tasks, const std::string& path) {
  if (auto open = self_->check_transaction(); !open) return open;
  if (tasks.empty()) return {};
  return self_->guard("store what a file holds", [&]() -> expected<void> {
    const auto stored = self_->stored_path(path);
    statement file{self_->prepared("SELECT id FROM file WHERE path = ?")};
    if (!file.blob(stored).next()) return fail(ec::usage, "what a file holds is stored after the file");
    const auto id = file.whole();
    for (const auto& one : tasks) {
      const auto row = self_->find(one.run, one.task);
      if (!row) return tl::unexpected{row.error()};
      if (row->state != task_state::delivered) continue;
      statement{self_->prepared("UPDATE task SET file = ? WHERE key = ?")}.whole(id).whole(row->key).run();
      self_->sign(ledger_table::task, row->key);
    }
    return {};
  });
}

expected<std::vector<source_target>> ledger::targets_of_several_tasks() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<source_target>> {
    std::vector<source_target> found;
    statement row{self_->prepared(targets_of_several)};
    while (row.next()) {
      auto source = row.bytes();
      found.push_back({std::move(source), row.bytes()});
      if (row.whole() == 0) return self_->corrupt("a task that was delivered was altered");
    }
    return found;
  });
}

}  // namespace cohort::state
