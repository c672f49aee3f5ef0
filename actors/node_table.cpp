// Decisions about nodes, each in one place.

#include "actors/node_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort {

namespace {

constexpr uint32_t most_slots = 10'000;

}  // namespace

std::string placement(const std::string& node, const std::string& life) { return node + "/" + life; }

std::string node_of(const std::string& placement) { return placement.substr(0, placement.find('/')); }

bool is_account_failure(const call_failure& failure) noexcept {
  return failure.code == ec::authentication || failure.code == ec::billing || failure.code == ec::forbidden ||
         failure.code == ec::spend_limit;
}

bool never_arrived(const call_failure& failure) noexcept {
  return failure.code == ec::connect_failed && failure.billed == billing::unbilled;
}

std::optional<error> node_table::objection(const node_hello& hello) const {
  if (hello.protocol != cluster_protocol)
    return error{
        ec::protocol_mismatch,
        fmt::format("this coordinator speaks version {} of the nodes' protocol, the node version {}; use the same "
                    "program on both machines",
                    cluster_protocol, hello.protocol)};
  if (hello.session.size() < 16 || hello.node.empty() || hello.slots == 0 || hello.slots > most_slots)
    return error{ec::usage, fmt::format("a node needs 1 to {} slots and an identity", most_slots)};
  if (open_.contains(hello.session)) return error{ec::conflict, "this session has joined already"};
  return std::nullopt;
}

std::optional<std::string> node_table::earlier_session(const node_hello& hello) const {
  for (const auto& [session, entry] : open_)
    if (entry.view.node == hello.node) return session;
  return std::nullopt;
}

node_entry& node_table::join(const node_hello& hello, steady_time now) {
  auto& entry = open_[hello.session];
  entry.session = hello.session;
  entry.life = hello.life;
  const auto before = closed_.find(hello.node);
  if (before != closed_.end()) {
    entry.view.done = before->second.done;
    entry.view.failed = before->second.failed;
    closed_.erase(before);
  }
  entry.view.name = printable(hello.name, 60);
  entry.view.node = hello.node;
  entry.view.slots = hello.slots;
  entry.earlier = std::min(hello.busy, hello.slots);
  heard(entry, now, wall_now());
  return entry;
}

node_entry* node_table::find(const std::string& session) {
  const auto found = open_.find(session);
  return found == open_.end() ? nullptr : &found->second;
}

void node_table::heard(node_entry& node, steady_time now, wall_time shown) {
  node.heard = now;
  node.view.heard = shown;
}

void node_table::end(const std::string& session, node_standing how) {
  const auto found = open_.find(session);
  if (found == open_.end()) return;
  auto view = found->second.view;
  view.standing = how;
  view.in_flight = 0;
  open_.erase(found);
  closed_[view.node] = std::move(view);
}

std::vector<std::string> node_table::silent(steady_time now) const {
  std::vector<std::string> found;
  for (const auto& [session, entry] : open_)
    if (now - entry.heard > rules_.lease - rules_.lease / 20) found.push_back(session);
  return found;
}

bool node_table::judge(node_entry& node, const work_report& report) const {
  if (report.answered) {
    ++node.view.done;
    node.failures_in_row = 0;
    return false;
  }
  if (report.failure.code == ec::node_left || report.failure.code == ec::cancelled) return false;
  ++node.view.failed;
  if (is_account_failure(report.failure)) return true;
  if (!never_arrived(report.failure)) return false;
  return ++node.failures_in_row >= rules_.failures_to_put_aside;
}

bool node_table::judge(node_entry& node, const node_pulse& pulse, steady_time now) const {
  if (pulse.trouble.empty()) {
    node.trouble_since.reset();
    return false;
  }
  if (!node.trouble_since) node.trouble_since = now;
  return node.view.standing == node_standing::joined && now - *node.trouble_since >= rules_.trouble_time;
}

std::vector<std::string> node_table::due_again(steady_time now) const {
  std::vector<std::string> found;
  for (const auto& [session, entry] : open_)
    if (entry.view.standing == node_standing::put_aside && !entry.for_good && entry.orders.empty() &&
        now - entry.aside_since >= rules_.aside_time)
      found.push_back(session);
  return found;
}

bool node_table::others_work(const node_entry& node) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    return entry.first != node.session && entry.second.view.standing == node_standing::joined;
  });
}

std::vector<std::string> node_table::sessions() const {
  std::vector<std::string> found;
  for (const auto& [session, entry] : open_) found.push_back(session);
  return found;
}

bool node_table::is_joined(const std::string& node) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) { return entry.second.view.node == node; });
}

nodes_seen node_table::views() const {
  nodes_seen seen;
  for (const auto& [session, entry] : open_) {
    seen.nodes.push_back(entry.view);
    seen.nodes.back().in_flight = static_cast<uint32_t>(entry.orders.size() + entry.earlier);
  }
  for (const auto& [node, view] : closed_) seen.nodes.push_back(view);
  std::sort(seen.nodes.begin(), seen.nodes.end(),
            [](const node_view& a, const node_view& b) { return std::tie(a.name, a.node) < std::tie(b.name, b.node); });
  return seen;
}

}  // namespace cohort
