// Decisions about nodes, each in one place.

#include "actors/nodes/node_table.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace cohort::actors {

namespace {

constexpr uint64_t bytes_a_token = 256;  // No token of any model is as long.
constexpr uint64_t bytes_beside = 64U << 10;
constexpr size_t most_remembered = 1000;  // Nodes that are not joined any more.
constexpr uint32_t most_doublings = 5;    // Of the time for which a node is put aside.

}  // namespace

std::string placement(const std::string& node, const std::string& process_id) { return node + "/" + process_id; }

std::string node_of(const std::string& placement) { return placement.substr(0, placement.find('/')); }

uint64_t longest_text(const order_terms& terms) noexcept {
  return bytes_beside + bytes_a_token * uint64_t{terms.max_tokens};
}

blame blame_for(ec code) noexcept {
  switch (code) {
    case ec::request_invalid:
    case ec::request_too_large:
    case ec::context_exceeded:
    case ec::rate_limited:
    case ec::overloaded:
    case ec::cancelled:
    case ec::worker_lost:
    case ec::node_left: return blame::task;
    case ec::server_error:
    case ec::conflict:
    case ec::connect_failed:
    case ec::connection_lost:
    case ec::timeout:
    case ec::malformed_answer: return blame::unclear;
    case ec::config_invalid:
    case ec::no_credentials:
    case ec::model_unknown:
    case ec::not_found:
    case ec::permission_denied:
    case ec::io:
    case ec::disk_full:
    case ec::authentication:
    case ec::billing:
    case ec::forbidden:
    case ec::model_not_found:
    case ec::spend_limit:
    case ec::certificate_refused: return blame::node;
    case ec::none:
    case ec::usage:
    case ec::binary_file:
    case ec::not_utf8:
    case ec::file_too_large:
    case ec::unparsable:
    case ec::not_importable:
    case ec::state_corrupt:
    case ec::state_newer:
    case ec::state_foreign:
    case ec::state_locked:
    case ec::state_missing:
    case ec::state_untrusted:
    case ec::task_unknown:
    case ec::refused:
    case ec::cut_off:
    case ec::empty_answer:
    case ec::no_code:
    case ec::broken_code:
    case ec::answer_too_costly:
    case ec::source_gone:
    case ec::source_changed:
    case ec::limit_reached:
    case ec::limit_too_low:
    case ec::interrupted:
    case ec::protocol_mismatch: return blame::liar;
  }
  return blame::liar;
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
  entry.process_id = hello.process_id;
  const auto before = closed_.find(hello.node);
  if (before != closed_.end()) {
    entry.view.done = before->second.done;
    entry.view.failed = before->second.failed;
    closed_.erase(before);
  }
  entry.view.name = hello.name;
  entry.view.node = hello.node;
  entry.view.slots = hello.slots;
  entry.earlier = std::min(hello.busy, hello.slots);
  note_pulse(entry, now, wall_now());
  return entry;
}

node_entry* node_table::find(const std::string& session) {
  const auto found = open_.find(session);
  return found == open_.end() ? nullptr : &found->second;
}

void node_table::note_pulse(node_entry& node, steady_time now, wall_time shown) {
  node.last_heard = now;
  node.view.last_heard = shown;
}

void node_table::end(const std::string& session, node_status how) {
  const auto found = open_.find(session);
  if (found == open_.end()) return;
  auto view = found->second.view;
  view.status = how;
  view.in_flight = 0;
  open_.erase(found);
  if (closed_.size() >= most_remembered) closed_.erase(closed_.begin());
  closed_[view.node] = std::move(view);
}

std::vector<std::string> node_table::silent(steady_time now) const {
  std::vector<std::string> found;
  for (const auto& [session, entry] : open_)
    if (now - entry.last_heard > rules_.lease - rules_.lease / 20) found.push_back(session);
  return found;
}

node_verdict node_table::verdict_on(node_entry& node, const work_report& report) const {
  if (report.answered) {
    ++node.view.done;
    node.failures_in_row = 0;
    node.asides = 0;
    return node_verdict::fine;
  }
  if (report.failure.code == ec::node_left || report.failure.code == ec::cancelled) return node_verdict::fine;
  ++node.view.failed;
  switch (blame_for(report.failure.code)) {
    case blame::task: return node_verdict::fine;
    case blame::node:
    case blame::liar: return node_verdict::aside_for_good;
    case blame::unclear: break;
  }
  return ++node.failures_in_row >= rules_.failures_to_put_aside ? node_verdict::aside_for_now : node_verdict::fine;
}

bool node_table::should_suspend(node_entry& node, const node_pulse& pulse, steady_time now) const {
  if (pulse.trouble.empty()) {
    node.trouble_since.reset();
    return false;
  }
  if (!node.trouble_since) node.trouble_since = now;
  return node.view.status == node_status::joined && now - *node.trouble_since >= rules_.trouble_time;
}

std::vector<std::string> node_table::due_again(steady_time now) const {
  std::vector<std::string> found;
  for (const auto& [session, entry] : open_)
    if (entry.view.status == node_status::put_aside && !entry.for_good && entry.orders.empty() &&
        now - entry.aside_since >=
            rules_.aside_time * (1 << std::min(entry.asides - std::min(entry.asides, 1u), most_doublings)))
      found.push_back(session);
  return found;
}

bool node_table::anybody_works() const {
  const bool may_return = std::any_of(closed_.begin(), closed_.end(),
                                      [](const auto& entry) { return entry.second.status == node_status::lost; });
  return may_return || std::any_of(open_.begin(), open_.end(), [](const auto& entry) {
           const auto& node = entry.second;
           return !node.orders.empty() || !(node.view.status == node_status::put_aside && node.for_good);
         });
}

std::string node_table::barred() const {
  std::string text;
  const auto add = [&](const node_view& view) {
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", view.name, view.reason);
  };
  for (const auto& [session, entry] : open_)
    if (entry.view.status == node_status::put_aside && entry.for_good) add(entry.view);
  for (const auto& [node, view] : closed_)
    if (view.status == node_status::put_aside) add(view);
  return text;
}

bool node_table::others_work(const node_entry& node) const {
  return std::any_of(open_.begin(), open_.end(), [&](const auto& entry) {
    return entry.first != node.session && entry.second.view.status == node_status::joined;
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

}  // namespace cohort::actors
