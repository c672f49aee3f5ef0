// Names of events.

#include "messages/events.hpp"

namespace cohort::inline messages {

std::string_view name(event_kind kind) noexcept {
  switch (kind) {
    case event_kind::run_started: return "run_started";
    case event_kind::batch_started: return "batch_started";
    case event_kind::task_started: return "task_started";
    case event_kind::task_retried: return "task_retried";
    case event_kind::task_ended: return "task_ended";
    case event_kind::batch_ended: return "batch_ended";
    case event_kind::spent: return "spent";
    case event_kind::warning: return "warning";
    case event_kind::notice: return "notice";
    case event_kind::run_ended: return "run_ended";
    case event_kind::node_joined: return "node_joined";
    case event_kind::node_left: return "node_left";
    case event_kind::node_lost: return "node_lost";
    case event_kind::node_put_aside: return "node_put_aside";
  }
  return "unknown";
}

}  // namespace cohort::inline messages
