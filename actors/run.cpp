// Building and taking down the actor system of one run.

#include "actors/run.hpp"

#include <caf/all.hpp>

#include "actors/coordinator.hpp"
#include "actors/cost_monitor.hpp"
#include "actors/errors.hpp"
#include "actors/gateway.hpp"
#include "actors/progress.hpp"
#include "actors/recorder.hpp"
#include "actors/worker_pool.hpp"

namespace cohort {

struct run_controls::target {
  coordinator_actor coordinator;
};

void run_controls::drain() {
  const std::lock_guard lock{guard_};
  drain_wished_ = true;
  if (target_) caf::anon_send(target_->coordinator, cohort::drain{});
}

void run_controls::stop_now() {
  const std::lock_guard lock{guard_};
  stop_wished_ = true;
  if (target_) caf::anon_send(target_->coordinator, cohort::stop_now{});
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

run_services spawn_services(caf::actor_system& system, const run_parts& parts, const coordinator_actor& coordinator) {
  const auto& settings = parts.context->settings;
  run_services services;
  services.progress = system.spawn<caf::detached>(progress, snapshot_of(parts.run, steady_clock::now()), parts.sink);
  services.recorder = system.spawn<caf::detached>(
      recorder, parts.context, parts.book, recorder_options{parts.place, parts.output, parts.run.id}, coordinator);
  const auto warn_at = settings.on_limit == limit_policy::warn ? settings.cost_limit : std::nullopt;
  services.money = system.spawn(cost_monitor, make_budget(parts), services.progress, warn_at);
  services.gateway = system.spawn(gateway, parts.way, services.progress);
  services.pool = system.spawn(
      worker_pool, settings.concurrent,
      [&system, gateway = services.gateway, rule = parts.resend] { return system.spawn(worker, gateway, rule); },
      coordinator);
  return services;
}

void end(const caf::actor& service) { caf::anon_send_exit(service, caf::exit_reason::user_shutdown); }

}  // namespace

run_outcome execute(run_parts parts, run_controls& controls) {
  caf::actor_system_config config;
  // Work stealing polls when idle, which costs more CPU than all of our handlers; a shared queue sleeps.
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2);
  caf::actor_system system{config};
  run_services services;
  auto owner = system.spawn(coordinator, parts.context, parts.run,
                            [&](coordinator_actor self) { return services = spawn_services(system, parts, self); });
  {
    const std::lock_guard lock{controls.guard_};
    controls.target_ = std::make_shared<run_controls::target>(run_controls::target{owner});
    if (controls.drain_wished_) caf::anon_send(owner, drain{});
    if (controls.stop_wished_) caf::anon_send(owner, stop_now{});
  }
  run_outcome outcome;
  caf::scoped_actor self{system};
  self->request(owner, caf::infinite, run_start{})
      .receive([&](const run_outcome& ended) { outcome = ended; },
               [&](const caf::error& problem) {
                 outcome = {run_status::failed, ec::worker_lost, from_caf(problem).message};
               });
  {
    const std::lock_guard lock{controls.guard_};
    controls.target_.reset();
  }
  // Requesters first: the coordinator, then the pool with its workers, then what they asked.
  end(caf::actor_cast<caf::actor>(owner));
  end(caf::actor_cast<caf::actor>(services.pool));
  end(caf::actor_cast<caf::actor>(services.money));
  end(caf::actor_cast<caf::actor>(services.gateway));
  end(caf::actor_cast<caf::actor>(services.recorder));
  end(caf::actor_cast<caf::actor>(services.progress));
  self->wait_for(services.progress);
  return outcome;
}

}  // namespace cohort
