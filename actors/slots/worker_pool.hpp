// WORKER POOL: slots with a worker behind each, here or on nodes; leases them out, notices a worker's death.
#pragma once

#include <functional>
#include <map>

#include "actors/interfaces.hpp"
#include "actors/slots/lease_table.hpp"

namespace cohort::actors {

class worker_pool_state {
 public:
  static inline const char* name = "worker_pool";
  using spawn_worker = std::function<worker_actor()>;

  /// The pool's end is its workers' end: one that still waits for a reply would otherwise live for ever.
  ~worker_pool_state();
  void start(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots, spawn_worker spawn,
             coordinator_actor coordinator);
  void on_wanted(const slots_wanted& request);
  void on_return(const lease_return& back);
  void on_exhausted(const batch_exhausted& batch);
  void on_drain();
  void on_joined(const slots_joined& more);
  void on_retired(const slots_retired& gone);
  void on_worker_down(const caf::actor_addr& worker);

 private:
  /// A slot's worker. All slots of a node share one.
  struct slot_entry {
    worker_actor worker;
    std::string node;  ///< Empty: this machine.
  };

  void add_slot(uint32_t slot);
  void lose(uint32_t slot);
  void tell_total();
  void hand_out();

  pool_actor::stateful_pointer<worker_pool_state> self_ = nullptr;
  spawn_worker spawn_;
  coordinator_actor coordinator_;
  lease_table leases_;
  std::map<uint32_t, slot_entry> slots_;
  std::map<std::string, uint32_t> groups_;  ///< Node to its group of leases; this machine is 0.
  uint32_t next_slot_ = 0;
  std::map<uint32_t, batch_actor> batches_;
};

pool_actor::behavior_type worker_pool(pool_actor::stateful_pointer<worker_pool_state> self, uint32_t slots,
                                      worker_pool_state::spawn_worker spawn, coordinator_actor coordinator);

}  // namespace cohort::actors
