// The Claude API as the GATEWAY's provider: transport, and for each model one rate limiter and one breaker for the
// whole process.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>

#include "claude/api/breaker.hpp"
#include "claude/api/messages_client.hpp"
#include "claude/api/rate_limiter.hpp"
#include "claude/api/transport.hpp"
#include "messages/ports/provider.hpp"

namespace cohort::claude {

class claude_provider : public provider {
 public:
  /// Starts the transport's thread. Errors as `transport::start`.
  [[nodiscard]] static expected<std::shared_ptr<claude_provider>> start(const endpoint& where,
                                                                        const claude_settings& settings);
  ~claude_provider() override;

  [[nodiscard]] call_permit admit(steady_time now, const completion_request& request) override;
  void settle(steady_time now, uint64_t id, const gateway_result& result) override;
  void submit(uint64_t id, const completion_request& request, milliseconds timeout, on_done done) override;
  void cancel(uint64_t id) override;
  [[nodiscard]] ec failing(steady_time now, const std::string& model) const override;

 private:
  /// The provider counts and sheds load by model: so do we.
  struct model_lane {
    explicit model_lane(const claude_settings& settings) : limiter(settings.rate_limit), breaker(settings.breaker) {}
    rate_limiter limiter;
    cohort::claude::breaker breaker;
    ec last_failure = ec::none;  ///< The last one that counts for the breaker.
  };
  /// What an admitted call owes to limiter and breaker.
  struct debt {
    model_lane* of = nullptr;
    admission_ticket limiter;
    uint64_t breaker = 0;
  };

  claude_provider(std::unique_ptr<transport> transport, const endpoint& where, const claude_settings& settings);
  void note_limits(uint64_t id, limiter_outcome outcome);
  [[nodiscard]] limiter_outcome take_limits(uint64_t id);

  std::unique_ptr<transport> transport_;
  messages_client client_;
  claude_settings settings_;
  std::map<std::string, model_lane> lanes_;  ///< By the model's id.
  std::mt19937_64 random_{std::random_device{}()};
  uint64_t last_ticket_ = 0;
  std::map<uint64_t, debt> owed_;  ///< By the call's ticket.
  std::mutex guard_;               ///< For what the transport's thread touches.
  std::map<uint64_t, limiter_outcome> outcomes_;
  std::map<uint64_t, uint64_t> transport_ids_;
};

}  // namespace cohort::claude
