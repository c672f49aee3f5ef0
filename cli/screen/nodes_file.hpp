// The nodes of a run at work, on disk for `--stats` of another process: `.claude-testing/nodes.json`.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "actors/progress/run_snapshot.hpp"

namespace cohort::cli {

/// `inner`, and `file` replaced at most once a second while nodes are joined; removed at the end.
[[nodiscard]] std::shared_ptr<actors::event_sink> with_nodes_file(std::shared_ptr<actors::event_sink> inner,
                                                                  std::filesystem::path file);

/// What the file says; nothing if there is none.
[[nodiscard]] std::vector<actors::node_view> read_nodes_file(const std::filesystem::path& file);

/// A line for each node: name, standing, slots, in flight, done, failed, last heard of.
[[nodiscard]] std::string nodes_table(const std::vector<actors::node_view>& nodes, wall_time now);

/// The same as JSON: an array.
[[nodiscard]] std::string nodes_json(const std::vector<actors::node_view>& nodes);

}  // namespace cohort::cli
