// Makes bodies that no honest provider sends under a 200: what a hostile server, or a proxy in between, can do to a
// client.
#pragma once

#include <string_view>

#include "simulator/behaviour/scenario.hpp"
#include "simulator/server/reply.hpp"

namespace cohort::simulator {

/// Replaces `out` by the malformed body, for a request of `model`. `malformed_body::none` and
/// `malformed_body::other_model` change nothing: the latter is an honest body under another model's name.
void make_malformed(malformed_body lie, std::string_view model, reply& out);

}  // namespace cohort::simulator
