// A table of tasks with the attempts that may still bring an answer.

#include "actors/attempts/in_doubt_attempts.hpp"

namespace cohort::actors {

in_doubt_attempts::in_doubt_attempts(const std::vector<state::in_doubt_attempt>& attempts, steady_time until)
    : until_(until) {
  for (const auto& one : attempts) tasks_[one.task][one.attempt] = {node_of(one.holder), false};
}

template <class Gone>
std::vector<task_id> in_doubt_attempts::drop(Gone&& gone) {
  std::vector<task_id> released;
  for (auto task = tasks_.begin(); task != tasks_.end();) {
    std::erase_if(task->second, [&](const auto& entry) { return gone(task->first, entry.first, entry.second); });
    if (!task->second.empty()) {
      ++task;
      continue;
    }
    released.push_back(task->first);
    task = tasks_.erase(task);
  }
  return released;
}

std::vector<task_id> in_doubt_attempts::came(const std::string& node, const std::set<attempt_id>& held) {
  for (auto& [task, attempts] : tasks_)
    for (auto& [number, holder] : attempts)
      if (holder.node == node && held.contains({task, number})) holder.here = true;
  return drop([&](const task_id& task, uint32_t number, const possible_holder& x) {
    return x.node == node && !held.contains({task, number});
  });
}

std::vector<task_id> in_doubt_attempts::went(const std::string& node, steady_time now) {
  if (now < until_) {
    for (auto& [task, attempts] : tasks_)
      for (auto& [number, holder] : attempts)
        if (holder.node == node) holder.here = false;
    return {};
  }
  return drop([&](const task_id&, uint32_t, const possible_holder& x) { return x.node == node && x.here; });
}

std::vector<task_id> in_doubt_attempts::at(steady_time now) {
  if (now < until_ || tasks_.empty()) return {};
  return drop([](const task_id&, uint32_t, const possible_holder& x) { return !x.here; });
}

bool in_doubt_attempts::settled(const attempt_id& attempt) {
  const auto task = tasks_.find(attempt.first);
  if (task == tasks_.end() || task->second.erase(attempt.second) == 0 || !task->second.empty()) return false;
  tasks_.erase(task);
  return true;
}

void in_doubt_attempts::answered(const task_id& task) {
  tasks_.erase(task);
  answered_.insert(task);
}

in_doubt_attempts::status in_doubt_attempts::of(const task_id& task) const {
  if (tasks_.contains(task)) return status::awaited;
  return answered_.contains(task) ? status::answered : status::free;
}

}  // namespace cohort::actors
