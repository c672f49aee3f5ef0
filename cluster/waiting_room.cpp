// Keeps the pending connections in a queue, with an index to each.

#include "cluster/waiting_room.hpp"

namespace cohort::cluster {

void waiting_room::enter(uint64_t id, const std::string& host, steady_time now) {
  queue_.push_back({id, host, now, true});
  places_[id] = std::prev(queue_.end());
  ++from_[host];
}

void waiting_room::begun(uint64_t id) {
  if (const auto entry = places_.find(id); entry != places_.end()) entry->second->silent = false;
}

void waiting_room::leave(uint64_t id) {
  const auto entry = places_.find(id);
  if (entry == places_.end()) return;
  const auto host = from_.find(entry->second->host);
  if (--host->second == 0) from_.erase(host);
  queue_.erase(entry->second);
  places_.erase(entry);
}

size_t waiting_room::count_from(const std::string& host) const {
  const auto known = from_.find(host);
  return known == from_.end() ? 0 : known->second;
}

std::optional<uint64_t> waiting_room::first_to_go(const std::string& host) const {
  std::optional<uint64_t> oldest;
  for (const auto& one : queue_) {
    if (!host.empty() && one.host != host) continue;
    if (one.silent && one.id != queue_.back().id) return one.id;
    if (!oldest) oldest = one.id;
  }
  return oldest;
}

std::optional<uint64_t> waiting_room::overdue(steady_time now, milliseconds time) const {
  if (queue_.empty() || now - queue_.front().since < time) return std::nullopt;
  return queue_.front().id;
}

}  // namespace cohort::cluster
