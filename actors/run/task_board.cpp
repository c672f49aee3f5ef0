// Transitions, each in one function.

#include "actors/run/task_board.hpp"

#include <algorithm>

namespace cohort::actors {

task_board::task_board(std::vector<task_record> tasks) {
  entries_.reserve(tasks.size());
  for (auto& task : tasks) {
    auto& entry = entries_.emplace_back();
    entry.record = std::move(task);
    entry.shown = entry.record.state;
    by_id_.emplace(entry.record.spec.id, entries_.size() - 1);
    if (is_final(entry.record.state)) entry.phase = task_phase::ended;
    if (entry.record.state == task_state::answered) entry.phase = task_phase::storing;
  }
  for (auto wanted : {task_state::deferred, task_state::planned})
    for (auto& entry : entries_)
      if (entry.record.state == wanted) queue_.push_back(&entry);
}

board_entry* task_board::next_queued() {
  if (!handing_out_ || queue_.empty()) return nullptr;
  auto* entry = queue_.front();
  queue_.pop_front();
  entry->phase = task_phase::asking;
  ++asking_;
  return entry;
}

void task_board::grant(board_entry& entry, nano_dollars amount) {
  --asking_;
  entry.phase = task_phase::granted;
  entry.reserved = amount;
  granted_.push_back(&entry);
}

board_entry* task_board::next_granted() {
  if (granted_.empty()) return nullptr;
  auto* entry = granted_.front();
  granted_.pop_front();
  entry->phase = task_phase::sending;
  return entry;
}

void task_board::pause(board_entry& entry) {
  entry.phase = task_phase::paused;
  entry.record.state = task_state::planned;
  entry.lease = 0;
}

void task_board::requeue(board_entry& entry) {
  if (!handing_out_) return;
  entry.phase = task_phase::queued;
  queue_.push_back(&entry);
}

void task_board::end(board_entry& entry, task_state state) {
  entry.phase = task_phase::ended;
  entry.record.state = state;
  entry.lease = 0;
}

void task_board::withdraw(board_entry& entry) {
  std::erase(queue_, &entry);
  entry.phase = task_phase::storing;
}

void task_board::hold(board_entry& entry) {
  std::erase(queue_, &entry);
  entry.phase = task_phase::held;
}

bool task_board::divert(board_entry& entry) {
  switch (entry.phase) {
    case task_phase::queued: std::erase(queue_, &entry); break;
    case task_phase::granted: std::erase(granted_, &entry); break;
    case task_phase::held:
    case task_phase::paused:
    case task_phase::ended: break;
    case task_phase::asking:
    case task_phase::sending:
    case task_phase::storing: return false;
  }
  entry.phase = task_phase::storing;
  return true;
}

void task_board::end_asking(board_entry& entry) {
  --asking_;
  entry.phase = task_phase::storing;
}

void task_board::veto(board_entry& entry) {
  --asking_;
  end(entry, task_state::deferred);
}

std::vector<board_entry*> task_board::stop_handing_out() {
  handing_out_ = false;
  std::vector<board_entry*> held{granted_.begin(), granted_.end()};
  granted_.clear();
  queue_.clear();
  for (auto* entry : held) entry->phase = task_phase::queued;
  return held;
}

board_entry* task_board::find(const task_id& id) {
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &entries_[found->second];
}

board_entry* task_board::holder_of(uint64_t lease) {
  const auto held = std::find_if(entries_.begin(), entries_.end(),
                                 [lease](const board_entry& entry) { return entry.lease == lease; });
  return held == entries_.end() ? nullptr : &*held;
}

std::vector<board_entry*> task_board::answered() {
  std::vector<board_entry*> found;
  for (auto& entry : entries_)
    if (entry.record.state == task_state::answered) found.push_back(&entry);
  return found;
}

bool task_board::done() const noexcept {
  return std::all_of(entries_.begin(), entries_.end(), [this](const board_entry& entry) {
    switch (entry.phase) {
      case task_phase::ended: return true;
      case task_phase::held:
      case task_phase::queued:
      case task_phase::paused: return !handing_out_;
      case task_phase::asking:
      case task_phase::granted:
      case task_phase::sending:
      case task_phase::storing: return false;
    }
    return false;
  });
}

state_counts task_board::counts() const noexcept {
  state_counts sum;
  for (const auto& entry : entries_) ++sum.of(entry.record.state);
  return sum;
}

}  // namespace cohort::actors
