// Holds calls back while the provider fails (circuit breaker). Calls are held, never failed.
//
//   closed --failures in a row--> open --time--> half-open --probe succeeds--> closed
//                                  ^---------------- probe fails (longer) -------'
#pragma once

#include <cstdint>

#include "base/clock.hpp"
#include "claude/api/settings.hpp"

namespace cohort::claude {

/// What an attempt says about the provider's health.
enum class health : uint8_t {
  good,     ///< The provider answered: an answer, a refusal of the request, a rate limit.
  bad,      ///< Overload, an internal error, no connection.
  nothing,  ///< Cancelled or never sent.
};

/// Overload, 5xx and connection failures are bad; any other answer is good.
[[nodiscard]] health health_of(ec code) noexcept;

/// One for each process. Not thread-safe; time is passed in.
class breaker {
 public:
  enum class state : uint8_t { closed, open, half_open };

  /// Whether an attempt may begin. Hand `ticket` to `record` when it has ended.
  struct answer {
    bool granted = false;
    milliseconds wait{0};  ///< If not granted: ask again after this, or after any `record`.
    uint64_t ticket = 0;
  };

  explicit breaker(const breaker_settings& settings) : settings_(settings), open_for_(settings.first_open) {}

  [[nodiscard]] answer admit(steady_time now) noexcept;

  /// The attempt of `ticket` ended. Only attempts that began in the present state count: the failures of a burst that
  /// began before the breaker opened do not keep it open. `retry_after` is the provider's.
  void record(steady_time now, uint64_t ticket, health how, milliseconds retry_after = milliseconds{0}) noexcept;

  [[nodiscard]] state present(steady_time now) const noexcept;

 private:
  void open(steady_time now, milliseconds retry_after) noexcept;

  breaker_settings settings_;
  bool closed_ = true;
  bool probing_ = false;
  uint32_t failures_ = 0;
  uint64_t generation_ = 1;  ///< Changes with the state; the ticket of an attempt is the generation in which it began.
  milliseconds open_for_;
  steady_time open_until_;
};

}  // namespace cohort::claude
