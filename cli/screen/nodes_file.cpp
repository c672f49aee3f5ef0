// Writing and reading nodes.json.

#include "cli/screen/nodes_file.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "base/files.hpp"
#include "base/folder.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::cli {

namespace {

using nlohmann::ordered_json;

constexpr auto write_interval = std::chrono::seconds{1};

ordered_json to_json(const std::vector<actors::node_view>& nodes) {
  auto list = ordered_json::array();
  for (const auto& node : nodes)
    list.push_back({{"name", node.name},
                    {"node", node.node},
                    {"standing", actors::name(node.status)},
                    {"reason", node.reason},
                    {"slots", node.slots},
                    {"inFlight", node.in_flight},
                    {"done", node.done},
                    {"failed", node.failed},
                    {"lastHeard", to_iso8601(node.last_heard)}});
  return list;
}

class nodes_file_sink : public actors::event_sink {
 public:
  nodes_file_sink(std::shared_ptr<actors::event_sink> inner, std::filesystem::path file)
      : inner_(std::move(inner)), file_(std::move(file)) {
    remove();  // A killed run leaves it.
  }
  ~nodes_file_sink() override { remove(); }

  void show(const run_event& event, const actors::run_snapshot& now) override { inner_->show(event, now); }
  void refresh(const actors::run_snapshot& now) override {
    inner_->refresh(now);
    const auto at = steady_clock::now();
    if (now.nodes.empty() || at - written_ < write_interval) return;
    written_ = at;
    if (auto done = write(now.nodes); !done && !reported_) {
      reported_ = true;
      log_warning("{}", done.error().message);
    }
  }

 private:
  /// A node's identity is what it is known by when it comes back: it is nobody else's business.
  expected<void> write(const std::vector<actors::node_view>& nodes) const {
    const auto folder = folder::open(file_.parent_path());
    if (!folder) return tl::unexpected{folder.error()};
    return folder->replace(file_.filename(), app::indented(to_json(nodes)), durability::later, access::own);
  }
  void remove() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }
  std::shared_ptr<actors::event_sink> inner_;
  std::filesystem::path file_;
  steady_time written_{};
  bool reported_ = false;
};

actors::node_status status_named(const std::string& wanted) {
  for (const auto status : {actors::node_status::joined, actors::node_status::leaving, actors::node_status::put_aside,
                            actors::node_status::lost, actors::node_status::left})
    if (wanted == actors::name(status)) return status;
  return actors::node_status::lost;
}

}  // namespace

std::shared_ptr<actors::event_sink> with_nodes_file(std::shared_ptr<actors::event_sink> inner,
                                                    std::filesystem::path file) {
  return std::make_shared<nodes_file_sink>(std::move(inner), std::move(file));
}

std::vector<actors::node_view> read_nodes_file(const std::filesystem::path& file) {
  std::vector<actors::node_view> nodes;
  const auto text = read_file(file, 16 << 20);
  const auto list = text ? ordered_json::parse(*text, nullptr, false) : ordered_json{};
  if (!list.is_array()) return nodes;
  for (const auto& one : list) {
    if (!one.is_object()) continue;
    actors::node_view node;
    try {
      node.name = one.value("name", "");
      node.node = one.value("node", "");
      node.status = status_named(one.value("standing", ""));
      node.reason = one.value("reason", "");
      node.slots = one.value("slots", 0U);
      node.in_flight = one.value("inFlight", 0U);
      node.done = one.value("done", uint64_t{0});
      node.failed = one.value("failed", uint64_t{0});
      if (const auto note_pulse = parse_iso8601(one.value("lastHeard", ""))) node.last_heard = *note_pulse;
    } catch (const nlohmann::json::exception&) {
      continue;
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

std::string nodes_table(const std::vector<actors::node_view>& nodes, wall_time now) {
  if (nodes.empty()) return {};
  std::string text = fmt::format("  nodes      {:<20} {:<9} {:>9} {:>7} {:>7}  last heard of\n", "name", "",
                                 "in flight", "done", "failed");
  for (const auto& node : nodes) {
    const auto ago = milliseconds{std::max<int64_t>(0, now.ms - node.last_heard.ms)};
    text +=
        fmt::format("             {:<20} {:<9} {:>9} {:>7} {:>7}  {} ago{}\n", printable(node.name, 40),
                    actors::name(node.status), fmt::format("{}/{}", node.in_flight, node.slots), node.done, node.failed,
                    human_duration(ago), node.reason.empty() ? "" : "  (" + printable(node.reason, 200) + ")");
  }
  return text;
}

std::string nodes_json(const std::vector<actors::node_view>& nodes) { return app::indented(to_json(nodes)); }

}  // namespace cohort::cli
