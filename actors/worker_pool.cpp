// WORKER POOL. A worker that dies is replaced, and its lease is reported lost.

#include "actors/worker_pool.hpp"

#include <caf/all.hpp>

#include "base/log.hpp"

namespace cohort {

worker_pool_state::~worker_pool_state() {
  for (const auto& [slot, worker] : workers_) caf::anon_send_exit(worker, caf::exit_reason::user_shutdown);
}

void worker_pool_state::start(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots, spawn_worker spawn,
                              coordinator_actor coordinator) {
  self_ = self;
  spawn_ = std::move(spawn);
  coordinator_ = std::move(coordinator);
  self_->set_down_handler([this](caf::down_msg& down) { on_worker_down(down.source); });
  for (uint32_t slot = 0; slot < slots; ++slot) add_slot(slot);
  hand_out();
}

void worker_pool_state::add_slot(uint32_t slot) {
  auto worker = spawn_();
  self_->monitor(worker);
  workers_[slot] = std::move(worker);
  leases_.add_slot(slot);
}

void worker_pool_state::on_wanted(const slots_wanted& wish) {
  batches_[wish.batch] = wish.from;
  leases_.want(wish.batch, wish.count);
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
  for (const auto& [slot, worker] : workers_) self_->send(worker, drain{});
}

void worker_pool_state::on_worker_down(const caf::actor_addr& gone) {
  for (auto& [slot, worker] : workers_) {
    if (worker.address() != gone) continue;
    log_warning("a worker died; its slot gets a new one");
    const auto lost = leases_.remove_slot(slot);
    const auto number = slot;
    if (lost)
      if (const auto batch = batches_.find(lost->batch); batch != batches_.end())
        self_->send(batch->second, lease_lost{lost->lease});
    add_slot(number);
    hand_out();
    return;
  }
}

void worker_pool_state::hand_out() {
  while (auto given = leases_.next()) {
    const auto batch = batches_.find(given->batch);
    if (batch == batches_.end()) {
      leases_.give_back(given->lease);
      leases_.forget(given->batch);
      continue;
    }
    self_->send(batch->second, slot_lease{given->lease, workers_[given->slot]});
  }
  if (leases_.free_slots() > 0) self_->send(coordinator_, slots_idle{static_cast<uint32_t>(leases_.free_slots())});
}

pool_actor::behavior_type worker_pool(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots,
                                      worker_pool_state::spawn_worker spawn, coordinator_actor coordinator) {
  self->state.start(self, slots, std::move(spawn), std::move(coordinator));
  return {
      [self](const slots_wanted& wish) { self->state.on_wanted(wish); },
      [self](const lease_return& back) { self->state.on_return(back); },
      [self](const batch_exhausted& batch) { self->state.on_exhausted(batch); },
      [self](const drain&) { self->state.on_drain(); },
  };
}

}  // namespace cohort
