// WORKER POOL. A worker that dies is replaced, and its lease is reported lost.

#include "actors/slots/worker_pool.hpp"

#include <algorithm>
#include <vector>

#include <caf/all.hpp>

#include "base/log.hpp"

namespace cohort::actors {

worker_pool_state::~worker_pool_state() {
  for (const auto& [slot, entry] : slots_)
    if (entry.node.empty()) caf::anon_send_exit(entry.worker, caf::exit_reason::user_shutdown);
}

void worker_pool_state::start(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots, spawn_worker spawn,
                              coordinator_actor coordinator) {
  self_ = self;
  spawn_ = std::move(spawn);
  coordinator_ = std::move(coordinator);
  self_->set_down_handler([this](caf::down_msg& down) { on_worker_down(down.source); });
  for (next_slot_ = 0; next_slot_ < slots; ++next_slot_) add_slot(next_slot_);
  tell_total();
  hand_out();
}

void worker_pool_state::add_slot(uint32_t slot) {
  auto worker = spawn_();
  self_->monitor(worker);
  slots_[slot] = {std::move(worker), {}};
  leases_.add_slot(slot);
}

void worker_pool_state::tell_total() {
  self_->send(coordinator_, slots_changed{static_cast<uint32_t>(leases_.slots())});
}

void worker_pool_state::on_joined(const slots_joined& more) {
  const auto group = groups_.try_emplace(more.node, static_cast<uint32_t>(groups_.size()) + 1).first->second;
  const bool known = std::any_of(slots_.begin(), slots_.end(), [&](const auto& entry) {
    return entry.second.worker.address() == more.worker.address();
  });
  if (!known) self_->monitor(more.worker);
  for (uint32_t i = 0; i < more.count; ++i) {
    slots_[next_slot_] = {more.worker, more.node};
    leases_.add_slot(next_slot_++, group);
  }
  tell_total();
  hand_out();
}

/// Slots that are leased stay known until their lease is given back or lost.
void worker_pool_state::on_retired(const slots_retired& gone) {
  for (auto entry = slots_.begin(); entry != slots_.end();) {
    const bool meant = entry->second.worker.address() == gone.worker.address();
    entry = meant && leases_.retire_slot(entry->first) ? slots_.erase(entry) : std::next(entry);
  }
  tell_total();
}

void worker_pool_state::on_wanted(const slots_wanted& request) {
  batches_[request.batch] = request.from;
  leases_.want(request.batch, request.count);
  hand_out();
}

void worker_pool_state::on_return(const lease_return& back) {
  if (leases_.give_back(back.lease)) hand_out();
}

void worker_pool_state::on_exhausted(const batch_exhausted& batch) {
  leases_.forget(batch.batch);
  batches_.erase(batch.batch);
}

void worker_pool_state::on_drain() {
  for (const auto& [slot, entry] : slots_)
    if (entry.node.empty()) self_->send(entry.worker, drain{});
}

void worker_pool_state::lose(uint32_t slot) {
  const auto lost = leases_.remove_slot(slot);
  if (!lost) return;
  if (const auto batch = batches_.find(lost->batch); batch != batches_.end())
    self_->send(batch->second, lease_lost{lost->lease});
}

void worker_pool_state::on_worker_down(const caf::actor_addr& gone) {
  std::vector<uint32_t> here;
  for (auto entry = slots_.begin(); entry != slots_.end();) {
    const bool meant = entry->second.worker.address() == gone;
    if (meant) lose(entry->first);
    if (meant && entry->second.node.empty()) here.push_back(entry->first);
    entry = meant && !entry->second.node.empty() ? slots_.erase(entry) : std::next(entry);
  }
  for (const auto slot : here) {
    log_warning("a worker died; its slot gets a new one");
    add_slot(slot);
  }
  tell_total();
  hand_out();
}

void worker_pool_state::hand_out() {
  while (auto given = leases_.next()) {
    const auto batch = batches_.find(given->batch);
    if (batch == batches_.end()) {
      leases_.give_back(given->lease);
      leases_.forget(given->batch);
      continue;
    }
    const auto& slot = slots_[given->slot];
    self_->send(batch->second, slot_lease{given->lease, slot.worker, slot.node});
  }
  if (leases_.free_slots() > 0) self_->send(coordinator_, slots_idle{static_cast<uint32_t>(leases_.free_slots())});
}

pool_actor::behavior_type worker_pool(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots,
                                      worker_pool_state::spawn_worker spawn, coordinator_actor coordinator) {
  self->state.start(self, slots, std::move(spawn), std::move(coordinator));
  return {
      [self](const slots_wanted& request) { self->state.on_wanted(request); },
      [self](const lease_return& back) { self->state.on_return(back); },
      [self](const batch_exhausted& batch) { self->state.on_exhausted(batch); },
      [self](const drain&) { self->state.on_drain(); },
      [self](const slots_joined& more) { self->state.on_joined(more); },
      [self](const slots_retired& gone) { self->state.on_retired(gone); },
  };
}

}  // namespace cohort::actors
