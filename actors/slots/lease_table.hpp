// Who works on what: leases over slots, in fair order between the batches that want them.
// Invariant: a lease number is never reused, so that a late answer can be told from a current one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace cohort::actors {

/// Keys are the caller's: a batch's index and a slot's number.
class lease_table {
 public:
  struct grant {
    uint64_t lease = 0;
    uint32_t batch = 0;
    uint32_t slot = 0;
  };

  /// A new slot, free. `group` is where it is: slots of one machine are one group.
  void add_slot(uint32_t slot, uint32_t group = 0);

  /// The slot gets no more leases; the one that it holds stays. True if it was free.
  bool retire_slot(uint32_t slot);

  /// Removes a slot that died. Returns the lease that it held, if any.
  std::optional<grant> remove_slot(uint32_t slot);

  /// `count` more leases are wanted by `batch`.
  void want(uint32_t batch, uint32_t count);

  /// `batch` wants nothing more.
  void forget(uint32_t batch);

  /// Ends a lease. False if it is not held (any more): the return is stale.
  bool give_back(uint64_t lease);

  /// The next lease in fair order, if there are a free slot and a want: batches take turns, and the group with the
  /// largest free share gives the slot, so that fast machines get more work and slow ones are not left out.
  [[nodiscard]] std::optional<grant> next();

  [[nodiscard]] size_t free_slots() const noexcept { return free_count_; }
  [[nodiscard]] size_t slots() const noexcept { return groups_of_.size(); }
  [[nodiscard]] size_t held() const noexcept { return held_.size(); }
  [[nodiscard]] bool wanted() const noexcept { return !turns_.empty(); }

 private:
  struct group_slots {
    std::set<uint32_t> free;
    uint32_t total = 0;
  };
  void release(uint32_t slot);
  [[nodiscard]] uint32_t take_free();

  std::map<uint32_t, group_slots> groups_;
  std::map<uint32_t, uint32_t> groups_of_;  ///< Slot to group; retired slots are not in it.
  size_t free_count_ = 0;
  std::map<uint64_t, grant> held_;
  std::map<uint32_t, uint32_t> wants_;  ///< Batch to outstanding count; never 0.
  std::deque<uint32_t> turns_;          ///< Each batch in `wants_` once.
  uint64_t last_lease_ = 0;
};

}  // namespace cohort::actors
