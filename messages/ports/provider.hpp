// A way to a model. The GATEWAY drives one; the Claude API is the first.
#pragma once

#include <cstdint>
#include <functional>

#include "base/clock.hpp"
#include "messages/request.hpp"

namespace cohort::inline messages {

/// What became of a call.
struct gateway_result {
  bool answered = false;
  completion answer;
  call_failure failure;
  bool systemic = false;  ///< The failure is the provider's as a whole, not this call's.
  milliseconds held{0};   ///< How long limiter and breaker kept the call back.
  milliseconds took{0};   ///< From sending to the end.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, gateway_result& x) {
  return f(x.answered, x.answer, x.failure, x.systemic, x.held, x.took);
}

/// Leave to make one call, or how long to wait for it.
struct call_permit {
  uint64_t ticket = 0;  ///< Names the call from here to its end; 0: not now.
  milliseconds wait{0};
};

class provider {
 public:
  using on_done = std::function<void(gateway_result)>;

  provider() = default;
  provider(const provider&) = delete;
  provider& operator=(const provider&) = delete;
  virtual ~provider() = default;

  /// A ticket if the call may go now: it then counts as in flight, is handed to `submit` and ends with `settle`. Else
  /// how long to hold the call. `admit` and `settle` are called from one thread at a time.
  [[nodiscard]] virtual call_permit admit(steady_time now, const completion_request& request) = 0;

  /// Learns from the end of an admitted call: limits, overload, recovery.
  virtual void settle(steady_time now, uint64_t ticket, const gateway_result& result) = 0;

  /// What the provider as a whole fails with at present when `model` is asked, else `ec::none`. A failure then says
  /// nothing about its task.
  [[nodiscard]] virtual ec failing(steady_time now, const std::string& model) const = 0;

  /// Starts an admitted call. `done` is called exactly once, from any thread.
  virtual void submit(uint64_t ticket, const completion_request& request, milliseconds timeout, on_done done) = 0;

  /// Ends a call early with `ec::cancelled`; unknown tickets are ignored.
  virtual void cancel(uint64_t ticket) = 0;
};

}  // namespace cohort::inline messages
