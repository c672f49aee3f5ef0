// Round robin between batches; within a machine the lowest free slot first.

#include "actors/slots/lease_table.hpp"

#include <algorithm>

namespace cohort::actors {

void lease_table::add_slot(uint32_t slot, uint32_t group) {
  groups_of_[slot] = group;
  ++groups_[group].total;
  release(slot);
}

void lease_table::release(uint32_t slot) {
  const auto group = groups_of_.find(slot);
  if (group != groups_of_.end() && groups_[group->second].free.insert(slot).second) ++free_count_;
}

bool lease_table::retire_slot(uint32_t slot) {
  const auto known = groups_of_.find(slot);
  if (known == groups_of_.end()) return false;
  auto& group = groups_[known->second];
  const bool was_free = group.free.erase(slot) != 0;
  if (was_free) --free_count_;
  if (--group.total == 0) groups_.erase(known->second);
  groups_of_.erase(known);
  return was_free;
}

uint32_t lease_table::take_free() {
  const auto fullest = std::max_element(groups_.begin(), groups_.end(), [](const auto& a, const auto& b) {
    // free/total compared without division; the first of equals wins, which is this machine.
    return a.second.free.size() * b.second.total < b.second.free.size() * a.second.total;
  });
  auto& free = fullest->second.free;
  const auto slot = *free.begin();
  free.erase(free.begin());
  --free_count_;
  return slot;
}

std::optional<lease_table::grant> lease_table::remove_slot(uint32_t slot) {
  (void)retire_slot(slot);
  const auto holder =
      std::find_if(held_.begin(), held_.end(), [slot](const auto& entry) { return entry.second.slot == slot; });
  if (holder == held_.end()) return std::nullopt;
  auto lost = holder->second;
  held_.erase(holder);
  return lost;
}

void lease_table::want(uint32_t batch, uint32_t count) {
  if (count == 0) return;
  auto& outstanding = wants_[batch];
  if (outstanding == 0) turns_.push_back(batch);
  outstanding += count;
}

void lease_table::forget(uint32_t batch) {
  wants_.erase(batch);
  std::erase(turns_, batch);
}

bool lease_table::give_back(uint64_t lease) {
  const auto held = held_.find(lease);
  if (held == held_.end()) return false;
  release(held->second.slot);
  held_.erase(held);
  return true;
}

std::optional<lease_table::grant> lease_table::next() {
  if (free_count_ == 0 || turns_.empty()) return std::nullopt;
  const auto batch = turns_.front();
  turns_.pop_front();
  if (--wants_[batch] == 0)
    wants_.erase(batch);
  else
    turns_.push_back(batch);
  const grant given{++last_lease_, batch, take_free()};
  held_.emplace(given.lease, given);
  return given;
}

}  // namespace cohort::actors
