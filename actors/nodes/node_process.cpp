// Building and taking down the actor system of a node.

#include "actors/nodes/node_process.hpp"

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "actors/caf/end_actor.hpp"
#include "actors/nodes/node.hpp"
#include "actors/nodes/remoting.hpp"
#include "actors/nodes/spool_writer.hpp"
#include "actors/progress/progress.hpp"
#include "actors/slots/gateway.hpp"

namespace cohort::actors {

struct node_controls::target {
  node_service_actor node;
};

void node_controls::drain() {
  const std::lock_guard lock{guard_};
  drain_wished_ = true;
  if (target_) caf::anon_send(target_->node, cohort::actors::drain{});
}

void node_controls::stop_now() {
  const std::lock_guard lock{guard_};
  stop_wished_ = true;
  if (target_) caf::anon_send(target_->node, cohort::actors::stop_now{});
}

namespace {

// A coordinator says how long its lease is only after the connection: this bounds a dead connection before that.
constexpr link_times times{milliseconds{5000}, milliseconds{15'000}};

}  // namespace

node_outcome join_cluster(join_parts parts, node_controls& controls) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2);
  load_remoting(config, *parts.own, times);
  caf::actor_system system{config};
  node_parts inner;
  inner.name = parts.name;
  inner.node = parts.spool->node_id();
  inner.slots = parts.slots;
  inner.rejoin_for = parts.rejoin_for;
  for (const auto& answer : parts.kept) inner.kept.push_back(to_report(answer));
  inner.provider = std::make_shared<provider_health>(parts.provider);
  inner.resend = parts.resend;
  run_snapshot first;
  first.started = steady_clock::now();
  inner.progress = system.spawn<caf::detached>(progress, first, parts.sink);
  inner.gateway = system.spawn(gateway, inner.provider, inner.progress);
  inner.spool_writer = system.spawn<caf::detached>(spool_writer, parts.spool);
  inner.dialer = system.spawn<caf::detached>(dialer, parts.where, parts.own);
  const auto services = inner;
  auto self_node = system.spawn(node, std::move(inner));
  node_outcome outcome;
  caf::scoped_actor self{system};
  auto end_of_node = self->request(self_node, caf::infinite, node_start{});
  {
    // After the start, so that there is somebody to tell of the end; a request to stop from before is not lost.
    const std::lock_guard lock{controls.guard_};
    controls.target_ = std::make_shared<node_controls::target>(node_controls::target{self_node});
    if (controls.drain_wished_) caf::anon_send(self_node, drain{});
    if (controls.stop_wished_) caf::anon_send(self_node, stop_now{});
  }
  end_of_node.receive([&](const node_outcome& ended) { outcome = ended; },
                      [&](const caf::error& problem) {
                        outcome = {ec::worker_lost, from_caf(problem).message, 0};
                      });
  {
    const std::lock_guard lock{controls.guard_};
    controls.target_.reset();
  }
  run_event over;
  over.kind = event_kind::run_ended;
  self->send(services.progress, over);
  end_actor(caf::actor_cast<caf::actor>(self_node));
  end_actor(caf::actor_cast<caf::actor>(services.gateway));
  // In its turn, not ahead of what it still has to remove.
  caf::anon_send(caf::actor_cast<caf::actor>(services.spool_writer),
                 caf::exit_msg{self->address(), caf::exit_reason::user_shutdown});
  end_actor(caf::actor_cast<caf::actor>(services.dialer));
  end_actor(caf::actor_cast<caf::actor>(services.progress));
  self->wait_for(services.progress, services.spool_writer);
  return outcome;
}

}  // namespace cohort::actors
