// Answers requests of the API without the network: takes a request, gives a reply and the manner of its delivery.
// Invariant: a request that is billed is on the bill before its reply leaves this class.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>

#include "simulator/api/bill.hpp"
#include "simulator/api/rate_buckets.hpp"
#include "simulator/server/counters.hpp"
#include "simulator/server/reply.hpp"

namespace cohort::simulator {

/// Used only by the server's thread; `counters()` may be read by any.
class messages_api {
 public:
  [[nodiscard]] static expected<std::unique_ptr<messages_api>> create(const simulator_options& options);

  /// Answers one request. `out` is overwritten.
  void respond(const received_call& call, reply& out);

  /// False if the simulator belongs to one client and `api_key` and `authorization` are not that client's. Such a
  /// request is answered by `turn_away` and its body not read.
  [[nodiscard]] bool knows(std::string_view api_key, std::string_view authorization) const noexcept;
  void turn_away(reply& out);

  /// Answers a request that HTTP itself rules out (too large, malformed).
  void refuse(const api_problem& problem, reply& out);

  [[nodiscard]] live_counters& counters() noexcept { return counters_; }

 private:
  messages_api(const simulator_options& options, price_list prices, test_text tests, bill_file bill);

  void begin(reply& out);
  [[nodiscard]] std::optional<api_problem> check_credentials(const received_call& call) const;
  [[nodiscard]] std::optional<api_problem> account_problem() const;
  void error(const api_problem& problem, reply& out);
  void too_many(uint32_t wait_seconds, std::string message, reply& out);

  void list_models(std::string_view query, reply& out);
  void show_model(std::string_view id, reply& out);
  void count_tokens(const received_call& call, reply& out);
  void message(const received_call& call, std::string_view path, reply& out);

  /// True during the outage of the scenario; the first call starts its clock.
  [[nodiscard]] bool in_outage(steady_time now);
  /// True if the fault ends the request before anything is generated.
  [[nodiscard]] bool fails_unbilled(const drawn_faults& drawn, reply& out);
  void generate(const drawn_faults& drawn, const std::string& prompt_hash, std::string_view path, reply& out);
  [[nodiscard]] counted_tokens billed_tokens(const counted_tokens& counted) const;
  [[nodiscard]] bool put_on_bill(const counted_tokens& tokens, const answer& said, const drawn_faults& drawn,
                                 const std::string& prompt_hash, std::string_view path, reply& out);
  void write_body(const counted_tokens& tokens, const answer& said, const drawn_faults& drawn, reply& out);
  [[nodiscard]] model_buckets& buckets_of(const served_model& model, steady_time now);

  scenario rules_;
  std::string credential_;  ///< Of the one client; empty: any client.
  price_list prices_;
  message_reader reader_;
  answer_author author_;
  bill_file bill_;
  prompt_cache cache_;
  std::unordered_map<const served_model*, model_buckets> buckets_;
  struct history {
    uint64_t attempts = 0;
    uint64_t billed = 0;
  };
  std::unordered_map<uint64_t, history> prompts_;  ///< By content hash.
  message_request request_;
  std::string run_;  ///< Makes the request ids of different runs differ.
  std::string request_id_;
  uint64_t requests_ = 0;
  uint64_t ordinal_ = 0;  ///< Of the message request.
  steady_time first_message_;
  live_counters counters_;
};

}  // namespace cohort::simulator
