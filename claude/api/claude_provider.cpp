// Admission by breaker and limiter, results translated.

#include "claude/api/claude_provider.hpp"

#include <algorithm>

#include "messages/priced_answer.hpp"

namespace cohort::claude {

namespace {

constexpr milliseconds shortest_hold{1};
constexpr uint64_t bytes_per_token = 3;  ///< A guess for the limiter only; the provider's headers correct it.

token_demand demand_of_request(const completion_request& request) {
  return {(request.shared_prefix.size() + request.prompt.size()) / bytes_per_token, request.max_tokens / 4};
}

gateway_result to_result(completion_result&& result) {
  gateway_result home;
  home.answered = result.has_value();
  if (home.answered)
    home.answer = std::move(*result);
  else
    home.failure = std::move(result.error());
  return home;
}

}  // namespace

expected<std::shared_ptr<claude_provider>> claude_provider::start(const endpoint& where,
                                                                  const claude_settings& settings) {
  auto transport = transport::start(transport_options_for(where, settings));
  if (!transport) return tl::unexpected{transport.error()};
  return std::shared_ptr<claude_provider>{new claude_provider{std::move(*transport), where, settings}};
}

claude_provider::claude_provider(std::unique_ptr<transport> transport, const endpoint& where,
                                 const claude_settings& settings)
    : transport_(std::move(transport)), client_(*transport_, where, settings), settings_(settings) {}

claude_provider::~claude_provider() { transport_->stop(); }

call_permit claude_provider::admit(steady_time now, const completion_request& request) {
  auto& lane = lanes_.try_emplace(request.model, settings_).first->second;
  const auto open = lane.breaker.admit(now);
  if (!open.granted) return {0, std::max(open.wait, shortest_hold)};
  const auto room = lane.limiter.admit(now, demand_of_request(request));
  if (!room.granted) {
    lane.breaker.record(now, open.ticket, health::nothing);
    return {0, std::max(room.wait, shortest_hold)};
  }
  owed_[++last_ticket_] = {&lane, room.ticket, open.ticket};
  return {last_ticket_, milliseconds{0}};
}

void claude_provider::settle(steady_time now, uint64_t id, const gateway_result& result) {
  const auto owed = owed_.find(id);
  if (owed == owed_.end()) return;
  const auto outcome = take_limits(id);
  const double random = std::uniform_real_distribution<double>{0.0, 1.0}(random_);
  auto& lane = *owed->second.of;
  const auto how = result.answered ? health::good : health_of(result.failure.code);
  if (how == health::bad) lane.last_failure = result.failure.code;
  lane.limiter.finished(now, owed->second.limiter, outcome, random);
  lane.breaker.record(now, owed->second.breaker, how, result.failure.retry_after);
  owed_.erase(owed);
}

ec claude_provider::failing(steady_time now, const std::string& model) const {
  const auto lane = lanes_.find(model);
  if (lane == lanes_.end() || lane->second.breaker.present(now) == breaker::state::closed) return ec::none;
  return lane->second.last_failure;
}

void claude_provider::submit(uint64_t id, const completion_request& request, milliseconds timeout, on_done done) {
  const auto transport_id =
      client_.complete(request, timeout,
                       [this, id, asked = size_of(request), expected = demand_of_request(request),
                        done = std::move(done)](call_outcome outcome) {
                         auto learnt = limiter_outcome_of(outcome.result, outcome.limits);
                         // What is not believed is no measure of the provider's buckets either.
                         if (outcome.result && doubt_about(*outcome.result, asked) != usage_doubt::none)
                           learnt.used = expected;
                         note_limits(id, learnt);
                         done(to_result(std::move(outcome.result)));
                       });
  const std::lock_guard lock{guard_};
  const bool ended_already = outcomes_.contains(id);
  if (transport_id != 0 && !ended_already) transport_ids_[id] = transport_id;
}

void claude_provider::cancel(uint64_t id) {
  uint64_t transport_id = 0;
  {
    const std::lock_guard lock{guard_};
    const auto known = transport_ids_.find(id);
    if (known == transport_ids_.end()) return;
    transport_id = known->second;
  }
  client_.cancel(transport_id);
}

void claude_provider::note_limits(uint64_t id, limiter_outcome outcome) {
  const std::lock_guard lock{guard_};
  outcomes_[id] = outcome;
  transport_ids_.erase(id);
}

limiter_outcome claude_provider::take_limits(uint64_t id) {
  const std::lock_guard lock{guard_};
  const auto found = outcomes_.find(id);
  if (found == outcomes_.end()) return {};
  auto outcome = found->second;
  outcomes_.erase(found);
  return outcome;
}

}  // namespace cohort::claude
