// Building and taking down the actor system of one run.

#include "actors/run/run_system.hpp"

#include <algorithm>
#include <future>

#include <caf/all.hpp>

#include "actors/answers/answer_validator.hpp"
#include "actors/caf/caf_error.hpp"
#include "actors/caf/end_actor.hpp"
#include "actors/money/cost_monitor.hpp"
#include "actors/nodes/hub.hpp"
#include "actors/nodes/remoting.hpp"
#include "actors/progress/progress.hpp"
#include "actors/recording/recorder.hpp"
#include "actors/run/coordinator.hpp"
#include "actors/slots/gateway.hpp"
#include "actors/slots/worker_pool.hpp"

namespace cohort::actors {

struct run_controls::target {
  coordinator_actor coordinator;
};

void run_controls::drain() {
  const std::lock_guard lock{guard_};
  drain_wished_ = true;
  if (target_) caf::anon_send(target_->coordinator, cohort::actors::drain{});
}

void run_controls::stop_now() {
  const std::lock_guard lock{guard_};
  stop_wished_ = true;
  if (target_) caf::anon_send(target_->coordinator, cohort::actors::stop_now{});
}

bool run_controls::running() {
  const std::lock_guard lock{guard_};
  return target_ != nullptr;
}

namespace {

budget make_budget(const run_parts& parts) {
  const auto& settings = parts.context->settings;
  budget_limits limits{settings.cost_limit, settings.budget};
  if (settings.on_limit == limit_policy::warn) limits.each_batch.reset();
  budget money{limits};
  money.carry_over(no_batch, parts.context->carried);
  for (const auto& batch : parts.run.batches) money.carry_over(batch.index, batch.spent);
  return money;
}

hub_parts hub_parts_of(const run_parts& parts, const run_services& services, const coordinator_actor& coordinator) {
  hub_parts inner;
  inner.context = parts.context;
  inner.ledger_id = parts.identity;
  inner.run = parts.run.id;
  inner.run_name = parts.run.batch_id;
  inner.rules.lease = parts.gate->lease;
  inner.in_doubt = parts.in_doubt;
  inner.recorder = services.recorder;
  inner.pool = services.pool;
  inner.money = services.money;
  inner.progress = services.progress;
  inner.coordinator = coordinator;
  inner.expel = [gate = std::weak_ptr<cluster::tls_gate>{parts.gate->gate}](const caf::actor_addr& whom) {
    if (const auto there = gate.lock()) there->expel(framework_id(whom));
  };
  return inner;
}

run_services spawn_services(caf::actor_system& system, const run_parts& parts, const coordinator_actor& coordinator) {
  const auto& settings = parts.context->settings;
  run_services services;
  services.progress = system.spawn<caf::detached>(progress, snapshot_of(parts.run, steady_clock::now()), parts.sink);
  services.recorder = system.spawn<caf::detached>(
      recorder, parts.context, parts.ledger,
      recorder_options{parts.workspace, parts.output, parts.run.id, parts.gate != nullptr}, coordinator);
  const auto warn_at = settings.on_limit == limit_policy::warn ? settings.cost_limit : std::nullopt;
  services.money = system.spawn(cost_monitor, make_budget(parts), services.progress, warn_at);
  services.backlog = std::make_shared<validation_backlog>();
  services.validator = system.spawn<caf::detached>(answer_validator, parts.context, services.backlog);
  services.gateway = system.spawn(gateway, parts.provider, services.progress);
  services.pool = system.spawn(
      worker_pool, settings.concurrent,
      [&system, gateway = services.gateway, rule = parts.resend] { return system.spawn(worker, gateway, rule); },
      coordinator);
  if (parts.gate) services.hub = system.spawn(hub, hub_parts_of(parts, services, coordinator));
  return services;
}

/// Lets nodes in. A refusal at the door becomes a warning of the run.
void open_gate(const run_parts& parts, const run_services& services) {
  if (!parts.gate) return;
  parts.gate->gate->open_to(let_in(services.hub), [progress = services.progress](std::string text) {
    run_event event;
    event.kind = event_kind::warning;
    event.code = ec::certificate_refused;
    event.text = std::move(text);
    caf::anon_send(progress, std::move(event));
  });
}

constexpr std::chrono::seconds closing_time{5};

}  // namespace

run_outcome execute(run_parts parts, run_controls& controls) {
  caf::actor_system_config config;
  // Work stealing polls when idle, which costs more CPU than all of our handlers; a shared queue sleeps. One thread is
  // enough: what takes time, or blocks, has a thread of its own.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 1);
  if (parts.gate) {
    load_remoting(config, *parts.gate->own,
                  {milliseconds{1000}, std::max(milliseconds{10'000}, 2 * parts.gate->lease)});
    // The ledger belongs to the RECORDER from here on; the HUB gets what it needs of it before.
    if (auto in_doubt = parts.ledger->in_doubt(parts.run.id)) parts.in_doubt = std::move(*in_doubt);
    parts.identity = parts.ledger->identity().value_or(std::string{});
  }
  caf::actor_system system{config};
  run_services services;
  std::promise<void> spawned;
  auto owner = system.spawn(coordinator, parts.context, parts.run, [&](const coordinator_actor& self) {
    services = spawn_services(system, parts, self);
    spawned.set_value();
    return services;
  });
  spawned.get_future().wait();
  {
    const std::lock_guard lock{controls.guard_};
    controls.target_ = std::make_shared<run_controls::target>(run_controls::target{owner});
    if (controls.drain_wished_) caf::anon_send(owner, drain{});
    if (controls.stop_wished_) caf::anon_send(owner, stop_now{});
  }
  run_outcome outcome;
  caf::scoped_actor self{system};
  open_gate(parts, services);
  self->request(owner, caf::infinite, run_start{})
      .receive([&](const run_outcome& ended) { outcome = ended; },
               [&](const caf::error& problem) {
                 outcome = {run_status::failed, ec::worker_lost, from_caf(problem).message};
               });
  {
    const std::lock_guard lock{controls.guard_};
    controls.target_.reset();
  }
  if (services.hub)  // Done already, unless the coordinator itself has failed.
    self->request(services.hub, closing_time, hub_close{}).receive([](const hub_closed&) {}, [](const caf::error&) {});
  if (parts.gate) parts.gate->gate.reset();  // It holds a handle; a detached actor ends with its last one.
  // Requesters first: the coordinator, then the pool with its workers, then what they asked.
  end_actor(caf::actor_cast<caf::actor>(owner));
  if (services.hub) end_actor(caf::actor_cast<caf::actor>(services.hub));
  end_actor(caf::actor_cast<caf::actor>(services.validator));
  end_actor(caf::actor_cast<caf::actor>(services.pool));
  end_actor(caf::actor_cast<caf::actor>(services.money));
  end_actor(caf::actor_cast<caf::actor>(services.gateway));
  end_actor(caf::actor_cast<caf::actor>(services.recorder));
  end_actor(caf::actor_cast<caf::actor>(services.progress));
  self->wait_for(services.progress);
  return outcome;
}

}  // namespace cohort::actors
