// A node as one call: builds its actors, waits for its end, takes them down in order.
#pragma once

#include <memory>
#include <mutex>

#include "actors/progress/run_snapshot.hpp"
#include "actors/slots/worker.hpp"
#include "cluster/address.hpp"
#include "cluster/credentials.hpp"
#include "cluster/spool.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::actors {

/// Everything that a node is made of.
struct join_parts {
  cluster::net_address where;
  std::shared_ptr<const cluster::cluster_credentials> own;
  std::shared_ptr<const cluster::spool> spool;
  std::vector<cluster::spooled_answer> kept;  ///< What the spool holds already.
  std::string name;
  uint32_t slots = 1;
  milliseconds rejoin_for{600'000};
  std::shared_ptr<cohort::provider> provider;
  resend_rule resend;
  std::shared_ptr<event_sink> sink;
};

/// Lets a signal reach the node. Thread-safe. A request from before the node began is kept until it begins.
class node_controls {
 public:
  void drain();     ///< Finish, hand over, leave.
  void stop_now();  ///< Leave at once.

 private:
  friend node_outcome join_cluster(join_parts parts, node_controls& controls);
  struct target;
  std::mutex guard_;
  std::shared_ptr<target> target_;
  bool drain_wished_ = false;
  bool stop_wished_ = false;
};

/// Works for the coordinator until it ends, the node is told to leave, or it cannot be reached for too long.
[[nodiscard]] node_outcome join_cluster(join_parts parts, node_controls& controls);

}  // namespace cohort::actors
