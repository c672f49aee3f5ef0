// What a node shows of itself, and the words for nodes that a coordinator shows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "actors/messages/nodes.hpp"
#include "actors/progress/run_snapshot.hpp"

namespace cohort::cli {

/// A live line on a terminal, plain lines elsewhere.
[[nodiscard]] std::shared_ptr<actors::event_sink> make_node_screen(bool quiet);

/// "alpha 16/16, beta 3/8 (put aside)": name, in flight, slots.
[[nodiscard]] std::string nodes_line(const std::vector<actors::node_view>& nodes);

}  // namespace cohort::cli
