// A node's own line.

#include "cli/screen/node_screen.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"
#include "cli/console.hpp"

namespace cohort::cli {

namespace {

constexpr auto plain_node_interval = std::chrono::seconds{10};

std::string own_line(const actors::node_view& node) {
  return fmt::format(
      "node {}  {}  {}/{} in flight  {} answers  {} failed", printable(node.name, 64),
      node.status == actors::node_status::lost ? "looking for the coordinator" : actors::name(node.status),
      node.in_flight, node.slots, node.done, node.failed);
}

class node_screen : public actors::event_sink {
 public:
  explicit node_screen(bool quiet) : quiet_(quiet), live_(!quiet && terminal_width() > 0) {}
  ~node_screen() override { erase(); }

  void show(const run_event& event, const actors::run_snapshot&) override {
    const bool warning = event.kind == event_kind::warning;
    if (event.text.empty() || (quiet_ && !warning)) return;
    erase();
    const auto text = printable(event.text, 1000);
    warning ? warn(text) : notice(text);
  }
  void refresh(const actors::run_snapshot& now) override {
    if (quiet_ || now.nodes.empty()) return;
    const auto at = steady_clock::now();
    if (!live_ && at - last_ < plain_node_interval) return;
    const auto line = own_line(now.nodes.front());
    if (live_) {
      draw_line(line);
      drawn_ = true;
    } else if (last_ != steady_time{}) {
      notice(line);
    }
    last_ = at;
  }

 private:
  void erase() {
    if (drawn_) erase_line();
    drawn_ = false;
  }
  bool quiet_;
  bool live_;
  bool drawn_ = false;
  steady_time last_{};
};

}  // namespace

std::shared_ptr<actors::event_sink> make_node_screen(bool quiet) { return std::make_shared<node_screen>(quiet); }

std::string nodes_line(const std::vector<actors::node_view>& nodes) {
  std::string line;
  for (const auto& node : nodes) {
    line += fmt::format("{}{} {}/{}", line.empty() ? "" : ", ", printable(node.name, 64), node.in_flight, node.slots);
    if (node.status != actors::node_status::joined) line += fmt::format(" ({})", actors::name(node.status));
  }
  return line;
}

}  // namespace cohort::cli
