// Which tasks of all runs belong to a target, and which of them stand in a file.

#include "state/ledger_impl.hpp"

namespace cohort {

namespace {

constexpr const char* tasks_of_target =
    "SELECT t.run, t.id, t.batch, t.state, t.code, t.seal, coalesce(f.path, x'') FROM spec s JOIN task t ON t.key = "
    "s.task LEFT JOIN file f ON f.id = t.file AND t.state = 2 WHERE s.target = ? AND s.source = ? AND t.state IN (1, "
    "2) "
    "ORDER BY s.part, t.key";
constexpr const char* file_at =
    "SELECT f.digest, t.run, t.id, s.source, s.target, r.output_directory, t.beside FROM file f JOIN task t ON t.key = "
    "f.task JOIN spec s ON s.task = t.key JOIN run r ON r.id = t.run WHERE f.path = ?";
constexpr const char* place_in_file =
    "UPDATE task SET file = (SELECT id FROM file WHERE path = ?) WHERE id = ? AND run = ? AND state = 2";
constexpr const char* targets_of_several =
    "SELECT DISTINCT s.source, s.target FROM task t JOIN file f ON f.id = t.file JOIN spec s ON s.task = t.key WHERE "
    "t.state = 2 AND f.task != t.key ORDER BY s.source, s.target";

}  // namespace

expected<std::vector<target_task>> ledger::tasks_for(const source_target& whose) const {
  return self_->guard("read the tasks of a file", [&]() -> expected<std::vector<target_task>> {
    std::vector<target_task> tasks;
    query row{self_->prepared(tasks_of_target)};
    row.blob(whose.target).blob(whose.source);
    while (row.next()) {
      target_task one;
      one.run = row.whole();
      one.task = row.identity();
      const auto batch = row.as<uint32_t>();
      one.state = row.as<task_state>();
      const auto code = row.as<ec>();
      if (row.whole() != seal_of_task(one.task, batch, one.state, code))
        return self_->corrupt("the state of a task was altered");
      if (auto path = row.bytes(); !path.empty()) one.path = self_->shown_path(path);
      tasks.push_back(std::move(one));
    }
    return tasks;
  });
}

expected<std::optional<result_file>> ledger::result_at(const std::string& path) const {
  return self_->guard("look up a file", [&]() -> expected<std::optional<result_file>> {
    const auto stored = self_->stored_path(path);
    query row{self_->prepared(file_at)};
    if (!row.blob(stored).next()) return std::optional<result_file>{};
    result_file found;
    found.content = row.hash();
    found.run = row.whole();
    found.task = row.identity();
    found.source = row.bytes();
    found.target = row.bytes();
    found.output_directory = row.bytes();
    found.beside = row.whole() != 0;
    return found;
  });
}

expected<void> ledger::place(const std::vector<target_task>& tasks, const std::string& path) {
  if (auto open = self_->check_transaction(); !open) return open;
  return self_->guard("store what a file holds", [&]() -> expected<void> {
    const auto stored = self_->stored_path(path);
    for (const auto& one : tasks)
      query{self_->prepared(place_in_file)}.blob(stored).identity(one.task).whole(one.run).run();
    return {};
  });
}

expected<std::vector<source_target>> ledger::targets_of_several_tasks() const {
  return self_->guard("read the deliveries", [&]() -> expected<std::vector<source_target>> {
    std::vector<source_target> found;
    query row{self_->prepared(targets_of_several)};
    while (row.next()) {
      auto source = row.bytes();
      found.push_back({std::move(source), row.bytes()});
    }
    return found;
  });
}

}  // namespace cohort
