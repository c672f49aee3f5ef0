// The rule of the money: reserve before the send, settle after, never pass a limit.
// Invariant, for the run and for each batch: spent + reserved <= limit.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/messages/funds.hpp"
#include "messages/run.hpp"

namespace cohort::actors {

/// Limits that hold; an empty one does not exist.
struct budget_limits {
  std::optional<nano_dollars> each_batch;
  std::optional<nano_dollars> run;
};

inline constexpr uint32_t no_batch = UINT32_MAX;  ///< For spending that belongs to no batch of this run.

class budget {
 public:
  enum class verdict : uint8_t {
    granted,  ///< The amount is reserved.
    wait,     ///< It fits once reservations are settled.
    vetoed,   ///< It can never fit.
  };

  struct ruling {
    verdict outcome = verdict::granted;
    bool by_run = false;  ///< The run's limit decided, not the batch's.
  };

  explicit budget(budget_limits limits) : limits_(limits) {}

  /// What earlier starts spent in `batch`, unconfirmed spending included.
  void carry_over(uint32_t batch, const spending& spent);

  /// Reserves `amount` if that keeps both limits.
  [[nodiscard]] ruling reserve(uint32_t batch, nano_dollars amount);

  /// Turns a reservation into what was spent. A cost above its reservation is counted in full.
  void settle(const settlement& x);

  /// Why `amount` was vetoed, and the least limit that would let it pass.
  [[nodiscard]] funds_answer explain(uint32_t batch, nano_dollars amount, const ruling& why) const;

  [[nodiscard]] funds_status run() const noexcept { return run_; }
  [[nodiscard]] funds_status batch(uint32_t index) const;
  [[nodiscard]] const budget_limits& limits() const noexcept { return limits_; }

 private:
  budget_limits limits_;
  funds_status run_;
  std::map<uint32_t, funds_status> batches_;
};

}  // namespace cohort::actors
