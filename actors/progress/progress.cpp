// PROGRESS.

#include "actors/progress/progress.hpp"

#include <thread>

#include <caf/all.hpp>

#include "actors/caf/thread_of_own.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds refresh_interval{250};
constexpr milliseconds rest_pause{5};  ///< Shorter than anyone sees.

void log_event(const run_event& event) {
  const auto line = [&](std::string_view end) {
    return fmt::format("{} batch {} task {} '{}' attempt {} {} {} {}{}", name(event.kind), event.batch + 1,
                       to_string(event.task), event.label, event.attempt, name(event.state),
                       event.code == ec::none ? "" : name(event.code), event.text, end);
  };
  switch (event.kind) {
    case event_kind::node_lost:
    case event_kind::node_put_aside:
    case event_kind::warning: log_warning("{}", event.text); return;
    case event_kind::node_joined:
    case event_kind::node_left: log_info("{}", event.text); return;
    case event_kind::task_started:
    case event_kind::spent: log_debug("{}", line("")); return;
    case event_kind::task_retried:
    case event_kind::task_ended: log_info("{}", line("")); return;
    case event_kind::run_started:
    case event_kind::run_ended:
    case event_kind::batch_started:
    case event_kind::batch_ended:
    case event_kind::notice: log_info("{} batch {} {}", name(event.kind), event.batch + 1, event.text); return;
  }
}

}  // namespace

void progress_state::start(progress_actor::stateful_pointer<progress_state> self, run_snapshot first,
                           std::shared_ptr<event_sink> sink) {
  self_ = self;
  now_ = std::move(first);
  sink_ = std::move(sink);
  on_refresh();
}

void progress_state::on_event(const run_event& event) {
  log_event(event);
  now_.apply(event);
  sink_->show(event, now_);
  rest();
}

/// When all is shown: the events of the next milliseconds gather, and wake this thread once.
void progress_state::rest() {
  if (!has_own_thread(static_cast<caf::abstract_actor*>(self_)) || !self_->mailbox().empty()) return;
  std::this_thread::sleep_for(rest_pause);
}

void progress_state::on_nodes(const nodes_seen& seen) { now_.nodes = seen.nodes; }

void progress_state::on_refresh() {
  if (now_.over) return;
  sink_->refresh(now_);
  self_->delayed_send(caf::actor_cast<progress_actor>(self_), refresh_interval, progress_refresh{});
}

progress_actor::behavior_type progress(progress_actor::stateful_pointer<progress_state> self, run_snapshot first,
                                       std::shared_ptr<event_sink> sink) {
  self->state.start(self, std::move(first), std::move(sink));
  return {
      [self](const run_event& event) { self->state.on_event(event); },
      [self](const nodes_seen& seen) { self->state.on_nodes(seen); },
      [self](const progress_refresh&) { self->state.on_refresh(); },
  };
}

}  // namespace cohort::actors
