// Which nodes there are, what each holds, when it was heard of, and when it is better not fed. A plain class: the HUB
// asks it. Invariant: an order is in exactly one session; a session that has ended holds none.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "messages/cluster.hpp"

namespace cohort {

using attempt_id = std::pair<task_id, uint32_t>;

struct node_rules {
  milliseconds lease{15'000};          ///< Silence that ends a session.
  uint32_t failures_to_put_aside = 3;  ///< Calls in a row that never reached the provider.
  milliseconds trouble_time{3'000};    ///< How long a node may say that its provider fails as a whole.
  milliseconds aside_time{30'000};     ///< After this a node that was put aside for its network is tried again.
};

/// One session of one node.
struct node_entry {
  node_view view;
  std::string session;
  std::string life;
  std::map<attempt_id, work_order> orders;  ///< Without texts: what a report needs.
  uint32_t earlier = 0;                     ///< Slots that attempts of an earlier session still hold.
  std::set<digest> prefixes;                ///< That it knows.
  uint64_t last_parcel = 0;
  uint32_t failures_in_row = 0;
  bool for_good = false;  ///< Put aside until it joins anew: its account was refused.
  steady_time heard;
  std::optional<steady_time> trouble_since;
  steady_time aside_since;
};

class node_table {
 public:
  explicit node_table(node_rules rules) : rules_(rules) {}

  /// Why this hello is refused; nothing if it may join.
  [[nodiscard]] std::optional<error> objection(const node_hello& hello) const;

  /// The session that `hello`'s node had until now, if that is still open: it is to be ended first.
  [[nodiscard]] std::optional<std::string> earlier_session(const node_hello& hello) const;

  node_entry& join(const node_hello& hello, steady_time now);

  /// Null if the session is unknown or has ended.
  [[nodiscard]] node_entry* find(const std::string& session);

  void heard(node_entry& node, steady_time now, wall_time shown);

  /// Ends a session; what it held is dropped. Its line stays among the views.
  void end(const std::string& session, node_standing how);

  /// Sessions that were silent for longer than the lease.
  [[nodiscard]] std::vector<std::string> silent(steady_time now) const;

  /// A call of the node ended. True if the node is to be put aside for it.
  [[nodiscard]] bool judge(node_entry& node, const work_report& report) const;

  /// A pulse told of trouble, or of none. True if it lasts too long.
  [[nodiscard]] bool judge(node_entry& node, const node_pulse& pulse, steady_time now) const;

  /// Put aside for a while, empty, and due to be tried again.
  [[nodiscard]] std::vector<std::string> due_again(steady_time now) const;

  /// True if some other node takes work.
  [[nodiscard]] bool others_work(const node_entry& node) const;

  [[nodiscard]] std::vector<std::string> sessions() const;
  [[nodiscard]] bool is_joined(const std::string& node) const;
  [[nodiscard]] nodes_seen views() const;
  [[nodiscard]] const node_rules& rules() const noexcept { return rules_; }

 private:
  node_rules rules_;
  std::map<std::string, node_entry> open_;   ///< By session.
  std::map<std::string, node_view> closed_;  ///< By node: the last that was seen of those that are not joined.
};

/// What the ledger calls the process of a node that an attempt was given to: identity and life.
[[nodiscard]] std::string placement(const std::string& node, const std::string& life);
[[nodiscard]] std::string node_of(const std::string& placement);

/// Failures that are about the node's own account or key, not about the task.
[[nodiscard]] bool is_account_failure(const call_failure& failure) noexcept;

/// The call certainly never reached the provider.
[[nodiscard]] bool never_arrived(const call_failure& failure) noexcept;

}  // namespace cohort
