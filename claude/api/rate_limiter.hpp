// Limits the rate of requests for one model: a local copy of the provider's token buckets, corrected by its headers,
// and a slow start of requests in flight. The limiter delays requests and never fails one.
// Invariant: as long as headers are right, the local buckets hold no more than the provider's.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.hpp"
#include "claude/api/settings.hpp"
#include "claude/api/wire.hpp"

namespace cohort::claude {

/// What a request is expected to take from the buckets, or took.
struct token_demand {
  uint64_t input_tokens = 0;  ///< Not read from the cache: cache reads do not count.
  uint64_t output_tokens = 0;
};

/// The part of an answer's usage that counts towards the limits.
[[nodiscard]] token_demand demand_of(const token_usage& usage) noexcept;

/// An admitted request; pass it to `finished` exactly once.
struct admission_ticket {
  token_demand expected;
  steady_time at;
  std::array<double, 4> taken_before{};           ///< What all requests up to this one had taken from each bucket.
  std::array<double, 4> pending_output_before{};  ///< What those in flight then had still to take: their output.
};

struct admission {
  bool granted = false;
  milliseconds wait{0};  ///< If not granted: ask again after this, or after any `finished`.
  admission_ticket ticket;
};

/// How an admitted request ended.
struct limiter_outcome {
  enum class kind : uint8_t {
    answered,      ///< A completion: `used` is known.
    rate_limited,  ///< 429.
    overloaded,    ///< 529 and other signs that there is too much.
    other,         ///< Anything else: counts as not having used tokens.
  };
  kind how = kind::other;
  token_demand used;
  milliseconds retry_after{0};
  rate_limit_headers limits;
};

/// Builds the outcome from a call's result.
[[nodiscard]] limiter_outcome limiter_outcome_of(const completion_result& result, const rate_limit_headers& limits);

/// Not thread-safe; time and chance are passed in. Serves requests in the order in which they ask: keep them in a queue
/// and ask only for the first, so that a large request is not overtaken for ever by small ones.
class rate_limiter {
 public:
  explicit rate_limiter(const rate_settings& settings);

  [[nodiscard]] admission admit(steady_time now, const token_demand& expected);

  /// `random` lies in [0, 1): the jitter of a pause.
  void finished(steady_time now, const admission_ticket& ticket, const limiter_outcome& outcome, double random);

  [[nodiscard]] uint32_t in_flight() const noexcept { return in_flight_; }
  /// The present bound of the slow start.
  [[nodiscard]] uint32_t most_in_flight() const noexcept { return static_cast<uint32_t>(window_); }

 private:
  /// A local copy of one of the provider's buckets.
  struct bucket {
    bool known = false;
    double limit = 0;  ///< Capacity, and what a window refills.
    double level = 0;
    double taken = 0;           ///< By all requests ever admitted, as expected of them.
    double outstanding = 0;     ///< Expected of those in flight.
    double pending_output = 0;  ///< Expected output of those in flight: the provider counts it when it is generated.
    steady_time filled;
    uint32_t votes = 0;     ///< How many headers in a row said that the level is too low.
    double least_lift = 0;  ///< By how much, according to the most cautious of them.
  };
  enum kind : size_t { requests, tokens, input, output };

  [[nodiscard]] static std::array<double, 4> amounts(const token_demand& demand) noexcept;
  [[nodiscard]] static std::array<double, 4> outputs(const token_demand& demand) noexcept;
  [[nodiscard]] double headroom(const bucket& b) const noexcept;
  [[nodiscard]] double per_ms(const bucket& b) const noexcept;
  void refill(bucket& b, steady_time now) const noexcept;
  void steer(kind which, const rate_limit_window& said, steady_time now, const admission_ticket& ticket) noexcept;
  void settle(steady_time now, const admission_ticket& ticket, const limiter_outcome& outcome) noexcept;
  void ramp(steady_time now) noexcept;
  void shrink(steady_time now, steady_time admitted) noexcept;
  void pause(steady_time now, const limiter_outcome& outcome, double random);

  rate_settings settings_;
  std::array<bucket, 4> buckets_{};
  double window_;
  bool used_ = false;   ///< Something was admitted since the start.
  bool heard_ = false;  ///< An answer has come since the slow start began.
  steady_time began_;   ///< The first admission.
  steady_time last_admission_;
  steady_time window_grown_;
  steady_time window_shrunk_;
  steady_time paused_until_;
  uint32_t in_flight_ = 0;
};

}  // namespace cohort::claude
