// Which nodes there are, what each holds, when it was heard of, and when it is better not fed. A plain class: the HUB
// asks it. Invariant: an order is in exactly one session; a session that has ended holds none.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/messages/nodes.hpp"

namespace cohort::actors {

using attempt_id = std::pair<task_id, uint32_t>;

struct node_rules {
  milliseconds lease{15'000};          ///< Silence that ends a session.
  uint32_t failures_to_put_aside = 3;  ///< Calls in a row that never reached the provider.
  milliseconds trouble_time{3'000};    ///< How long a node may say that its provider fails as a whole.
  milliseconds aside_time{30'000};     ///< After this a node that was put aside for its network is tried again.
};

/// What a node was asked for: by it a report is judged. Whether its usage is believed is decided where it is priced
/// (`messages/priced_answer.hpp`), as for the answers of this machine.
struct order_terms {
  uint64_t lease = 0;
  uint32_t max_tokens = 0;
};

/// Bytes that the text of an answer has at most.
[[nodiscard]] uint64_t longest_text(const order_terms& terms) noexcept;

/// Whose matter a failure is.
enum class blame : uint8_t {
  task,     ///< Any machine would fail in the same way, or it is nobody's.
  node,     ///< Its key, its account, its settings, its way to the provider.
  unclear,  ///< Once it says nothing, several times in a row it is the node's.
  liar,     ///< No call ends like this.
};
[[nodiscard]] blame blame_for(ec code) noexcept;

/// What follows for the node from a report.
enum class node_verdict : uint8_t { fine, aside_for_now, aside_for_good };

/// One session of one node.
struct node_entry {
  node_view view;
  std::string session;
  std::string process_id;
  std::map<attempt_id, order_terms> orders;  ///< What a report needs.
  uint32_t earlier = 0;                      ///< Slots that attempts of an earlier session still hold.
  std::set<digest> prefixes;                 ///< That it knows.
  uint64_t last_message = 0;
  uint32_t failures_in_row = 0;
  uint32_t asides = 0;   ///< How often it was put aside; each time it stays so for longer.
  uint32_t storing = 0;  ///< Late reports of it on their way to the disk.
  uint64_t storing_bytes = 0;
  uint32_t refused = 0;   ///< Reports of it that were not taken, because the attempts are not its own.
  bool for_good = false;  ///< Put aside until it joins anew: its account was refused.
  steady_time last_heard;
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

  void note_pulse(node_entry& node, steady_time now, wall_time shown);

  /// Ends a session; what it held is dropped. Its line stays among the views.
  void end(const std::string& session, node_status how);

  /// Sessions that were silent for longer than the lease.
  [[nodiscard]] std::vector<std::string> silent(steady_time now) const;

  /// A call of the node ended.
  [[nodiscard]] node_verdict verdict_on(node_entry& node, const work_report& report) const;

  /// A pulse told of trouble, or of none. True if it lasts too long.
  [[nodiscard]] bool should_suspend(node_entry& node, const node_pulse& pulse, steady_time now) const;

  /// Put aside for a while, empty, and due to be tried again.
  [[nodiscard]] std::vector<std::string> due_again(steady_time now) const;

  /// True if a node takes work, finishes some, is to be tried again, or was lost and may come back.
  [[nodiscard]] bool anybody_works() const;

  /// Names and reasons of nodes that were put aside for good; empty if there are none.
  [[nodiscard]] std::string barred() const;

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
[[nodiscard]] std::string placement(const std::string& node, const std::string& process_id);
[[nodiscard]] std::string node_of(const std::string& placement);

/// The call certainly never reached the provider.
[[nodiscard]] bool never_arrived(const call_failure& failure) noexcept;

}  // namespace cohort::actors
