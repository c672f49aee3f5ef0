// The decisions, each in one place.

#include "actors/run/attempt_policy.hpp"

#include <algorithm>

namespace cohort::actors {

namespace {

milliseconds doubled(milliseconds pause, uint32_t times) { return pause * (1 << std::min(times, 7u)) / 2; }

}  // namespace

ec class_of(stop_reason stop) noexcept {
  switch (stop) {
    case stop_reason::refusal: return ec::refused;
    case stop_reason::max_tokens: return ec::cut_off;
    case stop_reason::context_window_exceeded: return ec::context_exceeded;
    case stop_reason::end_turn:
    case stop_reason::stop_sequence:
    case stop_reason::tool_use:
    case stop_reason::pause_turn:
    case stop_reason::unknown: return ec::none;
  }
  return ec::none;
}

bool is_unusable_answer(ec code) noexcept {
  return code == ec::broken_code || code == ec::no_code || code == ec::answer_too_costly;
}

next_step outcome_policy::after_failure(const call_failure& failure, uint32_t unconfirmed, bool has_fallback) const {
  if (stops_run(failure.code)) return {next_step::action::stop_run};
  // A node gave it back unsent: that costs nothing and says nothing about the task.
  if (failure.code == ec::node_left) return {next_step::action::again};
  const bool may_be_billed = failure.billed == billing::unknown;
  if (has_fallback && failure.code == ec::overloaded && !may_be_billed) {
    next_step next{next_step::action::again};
    next.falls_back = true;
    return next;
  }
  // A worker that died says nothing about the task or the provider: the first time there is no reason to wait. Where
  // machines keep dying, pauses grow, so that one that comes back brings its answer before it is asked for again.
  if (failure.code == ec::worker_lost && unconfirmed <= limits_.worker_lost)
    return {next_step::action::again, unconfirmed <= 1 ? milliseconds{0} : doubled(limits_.pause, unconfirmed - 1)};
  // `retry` is false for a whole answer without a bill: it would be paid for again and come back without one again.
  if (may_be_billed && failure.retry && retryable(failure.code) && unconfirmed <= limits_.unconfirmed)
    return {next_step::action::again, doubled(limits_.pause, unconfirmed)};
  return {next_step::action::fail};
}

next_step outcome_policy::after_answer(ec code, uint32_t times, uint32_t max_tokens) const {
  const auto allowed = limits_.after_answer.find(code);
  if (allowed == limits_.after_answer.end() || times > allowed->second) return {next_step::action::fail};
  next_step step{next_step::action::again, doubled(limits_.pause, times)};
  if (code == ec::cut_off) {
    step.max_tokens = std::min(max_tokens * 2, std::max(limits_.most_output_tokens, max_tokens));
    if (step.max_tokens == max_tokens) return {next_step::action::fail};
  }
  return step;
}

}  // namespace cohort::actors
