// How the program's own threads end the actors that they spawned.
#pragma once

#include <caf/actor.hpp>
#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

namespace cohort::actors {

/// Asks for the end; does not wait for it.
inline void end_actor(const caf::actor& one) { caf::anon_send_exit(one, caf::exit_reason::user_shutdown); }

}  // namespace cohort::actors
