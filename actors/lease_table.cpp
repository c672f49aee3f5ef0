// Round robin between batches; the lowest free slot first, so that connections stay warm.

#include "actors/lease_table.hpp"

#include <algorithm>

namespace cohort {

std::optional<lease_table::grant> lease_table::remove_slot(uint32_t slot) {
  free_.erase(slot);
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
  free_.insert(held->second.slot);
  held_.erase(held);
  return true;
}

std::optional<lease_table::grant> lease_table::next() {
  if (free_.empty() || turns_.empty()) return std::nullopt;
  const auto batch = turns_.front();
  turns_.pop_front();
  if (--wants_[batch] == 0)
    wants_.erase(batch);
  else
    turns_.push_back(batch);
  const grant given{++last_lease_, batch, *free_.begin()};
  free_.erase(free_.begin());
  held_.emplace(given.lease, given);
  return given;
}

}  // namespace cohort
