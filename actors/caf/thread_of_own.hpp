// Actors with a thread of their own may sleep, and it pays: what arrives meanwhile wakes nobody. Waking a thread for
// each message costs its senders more than the message itself.
#pragma once

#include <caf/abstract_actor.hpp>

namespace cohort::actors {

/// True if `self` was spawned detached. In tests under virtual time nothing is.
template <class Self>
[[nodiscard]] bool has_own_thread(const Self* self) noexcept {
  return self->getf(caf::abstract_actor::is_detached_flag);
}

}  // namespace cohort::actors
