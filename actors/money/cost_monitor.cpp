// COST MONITOR. First come, first served: whoever waits for a limit is not overtaken by others under that limit.

#include "actors/money/cost_monitor.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <caf/all.hpp>

namespace cohort::actors {

void cost_monitor_state::start(cost_monitor_actor::stateful_pointer<cost_monitor_state> self, budget money,
                               progress_actor progress, std::optional<nano_dollars> warn_at) {
  self_ = self;
  money_ = std::make_unique<budget>(std::move(money));
  progress_ = std::move(progress);
  warn_at_ = warn_at;
}

caf::typed_response_promise<funds_answer> cost_monitor_state::ask(const funds_wanted& request) {
  auto promise = self_->make_response_promise<funds_answer>();
  waiting_.push_back({request, promise});
  answer_waiting();
  return promise;
}

bool cost_monitor_state::try_answer(waiting& entry, bool& run_blocked, std::deque<uint32_t>& blocked_batches) {
  const auto batch = entry.request.batch;
  if (run_blocked || std::find(blocked_batches.begin(), blocked_batches.end(), batch) != blocked_batches.end())
    return false;
  const auto ruling = money_->reserve(batch, entry.request.amount);
  switch (ruling.outcome) {
    case budget::verdict::granted: entry.promise.deliver(funds_answer{}); return true;
    case budget::verdict::vetoed:
      entry.promise.deliver(money_->explain(batch, entry.request.amount, ruling));
      return true;
    case budget::verdict::wait:
      if (ruling.by_run)
        run_blocked = true;
      else
        blocked_batches.push_back(batch);
      return false;
  }
  return false;
}

void cost_monitor_state::answer_waiting() {
  bool run_blocked = false;
  std::deque<uint32_t> blocked_batches;
  std::deque<waiting> left;
  for (auto& entry : waiting_)
    if (!try_answer(entry, run_blocked, blocked_batches)) left.push_back(std::move(entry));
  waiting_ = std::move(left);
}

void cost_monitor_state::settle(const settlement& x) {
  money_->settle(x);
  if (x.spent.total() > nano_dollars{}) {
    warn(x.batch);
    publish();
  }
  if (!waiting_.empty()) answer_waiting();
}

void cost_monitor_state::warn(uint32_t batch) {
  if (!warn_at_ || warn_at_->count <= 0) return;
  const auto spent = money_->batch(batch).spent.total();
  const auto percent = static_cast<uint32_t>(
      std::min<wide_integer>(static_cast<wide_integer>(spent.count) * 100 / warn_at_->count, 1000));
  auto& warned = warned_percent_[batch];
  for (uint32_t mark : {100u, 80u, 50u}) {
    if (percent < mark) continue;
    if (warned < mark) {
      warned = mark;
      run_event event;
      event.kind = event_kind::warning;
      event.batch = batch;
      event.code = ec::limit_reached;
      event.text = fmt::format("batch {} has spent {} of its cost limit of {} ({} %)", batch + 1, to_string(spent),
                               to_string(*warn_at_), percent);
      self_->send(progress_, std::move(event));
    }
    return;
  }
}

void cost_monitor_state::publish() {
  run_event event;
  event.kind = event_kind::spent;
  event.spent = money_->run().spent;
  event.reserved = money_->run().reserved;
  self_->send(progress_, std::move(event));
}

cost_monitor_actor::behavior_type cost_monitor(cost_monitor_actor::stateful_pointer<cost_monitor_state> self,
                                               budget money, progress_actor progress,
                                               std::optional<nano_dollars> warn_at) {
  self->state.start(self, std::move(money), std::move(progress), warn_at);
  return {
      [self](const funds_wanted& request) { return self->state.ask(request); },
      [self](const settlement& x) { self->state.settle(x); },
  };
}

}  // namespace cohort::actors
