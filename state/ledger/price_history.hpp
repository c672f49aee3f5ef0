// The prices that a ledger's attempts were charged at, noted in the ledger itself, so that its sums can be made again
// after `config/models.json` has changed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "messages/price.hpp"

namespace cohort::state {

/// A model's limits and prices as one line of text.
[[nodiscard]] std::string pack_prices(const model_info& model);

/// Inverse of `pack_prices`; nothing if the text is no such line.
[[nodiscard]] std::optional<model_info> unpack_prices(std::string_view packed);

/// The prices of models over time.
class price_history {
 public:
  void add(wall_time from, model_info prices);

  /// What held for `model` at `when`: the last note before it, else the first one. Null if the model was never noted.
  [[nodiscard]] const model_info* at(const std::string& model, wall_time when) const noexcept;

 private:
  struct note {
    wall_time from;
    model_info prices;
  };
  std::vector<note> notes_;  ///< In order of time.
};

}  // namespace cohort::state
