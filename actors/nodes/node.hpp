// NODE: a joined machine's side. Takes orders, has its WORKERs ask the provider with this machine's own key, keeps each
// answer on this machine's disk before it is sent on, and forgets it when the HUB has acknowledged it. Joins again
// after every loss.
//
//   away ── dialed, hello ──> joined ── hub lost ──> away ── too long ──> ended
//                               └── SIGTERM, farewell ──> leaving ── nothing held ──> ended
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/nodes/node_framing.hpp"
#include "actors/slots/provider_health.hpp"
#include "actors/slots/worker.hpp"

namespace cohort::actors {

/// What a NODE works with.
struct node_parts {
  std::string name;
  std::string node;  ///< Identity of its spool.
  uint32_t slots = 1;
  milliseconds rejoin_for{600'000};
  std::vector<remote_report> kept;  ///< Answers from its spool.
  std::shared_ptr<provider_health> provider;
  resend_rule resend;
  gateway_actor gateway;
  dialer_actor dialer;
  spool_writer_actor spool_writer;
  progress_actor progress;
};

class node_state {
 public:
  static inline const char* name = "node";

  node_state() = default;
  node_state(const node_state&) = delete;
  node_state& operator=(const node_state&) = delete;
  ~node_state();

  void start(node_service_actor::stateful_pointer<node_state> self, node_parts parts);
  caf::typed_response_promise<node_outcome> on_start();
  void on_part(const message_part& part);
  void on_kept(const report_kept& kept);
  void on_hub_pulse(const hub_pulse& pulse);
  void on_farewell(const hub_farewell& farewell);
  void on_recall(const node_recall& recall);
  void on_drain();
  void on_stop_now();
  void on_tick();

 private:
  enum class phase : uint8_t { away, dialing, joined, ended };
  /// Ledger, run, task, attempt: whose attempt it is, on every coordinator.
  using attempt_key = std::tuple<std::string, int64_t, task_id, uint32_t>;
  struct outgoing {
    remote_report report;
    bool safe = false;  ///< On disk, or nothing that needs to be.
    bool sent = false;  ///< In this session.
  };
  struct node_flight {
    worker_actor worker;
    std::string session;
    uint32_t max_tokens = 0;
  };

  void dial();
  void on_dialed(const dialed& answer);
  void say_hello();
  void on_welcome(node_welcome& welcome);
  void lose_hub(const std::string& why);
  void try_later(const std::string& why);
  void distrust(const std::string& why);
  [[nodiscard]] bool remember_prefix(remote_order& order);
  void take(remote_order& order);
  void refuse(const remote_order& order, const std::string& why);
  void on_done(const attempt_key& key, work_report& report);
  void hand_over(const attempt_key& key);
  void pump_outbox();
  void send_message(const remote_report& report);
  void call_back_unsent();
  void finish_if_done();
  [[nodiscard]] bool owes_hub() const;
  void finish(ec code, std::string message);
  void end();
  [[nodiscard]] uint32_t earlier() const;
  [[nodiscard]] uint32_t kept_answers() const;
  [[nodiscard]] milliseconds pulse_interval() const;
  void tell(event_kind kind, std::string text);
  void show();
  [[nodiscard]] steady_time now() const;

  node_service_actor::stateful_pointer<node_state> self_ = nullptr;
  node_parts parts_;
  phase phase_ = phase::away;
  caf::typed_response_promise<node_outcome> done_;
  hub_actor hub_;
  std::string session_;
  std::string process_id_ = random_hex(8);
  std::string ledger_id_;
  milliseconds lease_{15'000};
  steady_time last_heard_{};  ///< Of the HUB.
  steady_time pulsed_{};
  steady_time away_since_{};
  steady_time dial_at_{};
  std::optional<steady_time> leave_by_;
  uint32_t dials_ = 0;  ///< Since the HUB was lost.
  std::string reported_why_;
  std::map<attempt_key, outgoing> outbox_;
  std::map<attempt_key, node_flight> flights_;
  std::set<attempt_key> not_wanted_;  ///< Refused by this coordinator; they stay in the spool.
  std::map<digest, std::string> prefixes_;
  message_joiner parts_in_;
  uint64_t last_message_ = 0;
  uint64_t answers_ = 0;
  uint64_t failures_ = 0;
  uint32_t refusals_ = 0;  ///< Orders in a row that were refused for want of room.
  uint32_t recalls_ = 0;
  std::string breach_;  ///< How the coordinator broke the protocol.
  bool leaving_ = false;
  bool run_over_ = false;
  std::optional<node_outcome> ending_;  ///< Delivered once the HUB knows that the node has gone.
  steady_time end_by_{};
};

node_service_actor::behavior_type node(node_service_actor::stateful_pointer<node_state> self, node_parts parts);

}  // namespace cohort::actors
