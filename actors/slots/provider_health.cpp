// Noting how the provider is after each call.

#include "actors/slots/provider_health.hpp"

namespace cohort::actors {

void provider_health::submit(uint64_t id, const completion_request& request, milliseconds timeout, on_done done) {
  asked_[id] = request.model;
  inner_->submit(id, request, timeout, std::move(done));
}

void provider_health::settle(steady_time now, uint64_t id, const gateway_result& result) {
  inner_->settle(now, id, result);
  const auto asked = asked_.extract(id);
  if (asked.empty()) return;
  const auto& model = asked.mapped();
  const bool fails = inner_->failing(now, model) != ec::none;
  const std::lock_guard lock{guard_};
  if (!fails)
    trouble_[model].clear();
  else if (!result.answered)
    trouble_[model] = result.failure.message.empty() ? "its calls fail" : result.failure.message;
}

std::string provider_health::failure() const {
  const std::lock_guard lock{guard_};
  std::string text;
  for (const auto& [model, trouble] : trouble_) {
    if (trouble.empty()) return {};
    text = trouble;
  }
  return text;
}

}  // namespace cohort::actors
