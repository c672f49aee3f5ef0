// A run as one call: builds the actors, waits for the end, takes them down in order.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "actors/progress/run_snapshot.hpp"
#include "actors/run/run_context.hpp"
#include "actors/slots/worker.hpp"
#include "cluster/credentials.hpp"
#include "cluster/tls_gate.hpp"
#include "messages/ports/provider.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

/// What a run needs so that nodes can join.
struct listening {
  std::shared_ptr<cluster::tls_gate> gate;  ///< Listens already; lets nobody in before the run begins.
  std::shared_ptr<const cluster::cluster_credentials> own;
  milliseconds lease{15'000};
};

/// Everything that a run is made of.
struct run_parts {
  context_ptr context;
  state::workspace workspace;
  std::filesystem::path output;           ///< Absolute folder of the results.
  std::shared_ptr<state::ledger> ledger;  ///< Used by the RECORDER alone until the run has ended.
  run_record run;
  std::shared_ptr<cohort::provider> provider;
  resend_rule resend;
  std::shared_ptr<event_sink> sink;
  std::shared_ptr<listening> gate;                ///< Null if no node can join.
  std::vector<state::in_doubt_attempt> in_doubt;  ///< Filled in by `execute`.
  std::string identity;                           ///< Of the ledger; filled in by `execute`.
};

/// Lets a signal reach the run. Thread-safe. A request from before the run began is kept until it begins; after its end
/// nothing happens.
class run_controls {
 public:
  void drain();                  ///< Finish what is in flight, then end.
  void stop_now();               ///< End at once; what is in flight stays charged as unconfirmed.
  [[nodiscard]] bool running();  ///< A run is under way.

 private:
  friend run_outcome execute(run_parts parts, run_controls& controls);
  struct target;
  std::mutex guard_;
  std::shared_ptr<target> target_;
  bool drain_wished_ = false;  ///< Wishes that came before the run.
  bool stop_wished_ = false;
};

/// Runs every open batch of the newest run. Returns when nothing is under way any more and all is on disk.
[[nodiscard]] run_outcome execute(run_parts parts, run_controls& controls);

}  // namespace cohort::actors
