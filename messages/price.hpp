// What a model costs, and the two sums that money depends on: the bill of an answer and the most that a
// request can be billed. Values come from `config/models.json`; nothing here knows a price.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/money.hpp"
#include "messages/usage.hpp"

namespace cohort::inline messages {

/// One column of the price list.
struct price_card {
  uint64_t above_prompt_tokens = 0;  ///< Applies to prompts longer than this; the first card has 0.
  pico_rate input;
  pico_rate output;
  pico_rate cache_write_5m;
  pico_rate cache_write_1h;
  pico_rate cache_read;
};

/// A model with its limits and prices.
struct model_info {
  std::string id;               ///< Full id, as the API wants it.
  std::string alias;            ///< "opus", "sonnet", ...; may be empty.
  uint64_t context_tokens = 0;  ///< Prompt and answer together.
  uint32_t max_output_tokens = 0;
  bool takes_effort = true;  ///< `output_config.effort` may be given.
  std::string fallback;      ///< Alias or id of the model that stands in while this one is overloaded; may be empty.
  std::vector<price_card> cards;        ///< Ascending by `above_prompt_tokens`; never empty.
  uint32_t batch_percent = 100;         ///< Price in the batch tier, in percent of the standard one.
  uint32_t us_inference_percent = 100;  ///< Price with `inference_geo: us`, in percent.
};

/// What the provider bills for `usage`. The card is chosen by the whole prompt's length and applies to the
/// whole request; the sum is rounded up once to the nano-dollar.
[[nodiscard]] nano_dollars cost_of(const token_usage& usage, const model_info& model);

/// The most that one request can be billed: `prompt_token_bound` at the dearest rate that can apply to input
/// (uncached, written to either cache, or read from it), plus `max_tokens` at the dearest output rate, on the dearest
/// card in reach.
[[nodiscard]] nano_dollars most_it_can_cost(uint64_t prompt_token_bound, uint32_t max_tokens, const model_info& model);

/// A true upper bound of the tokens in a prompt of `bytes` bytes: one token a byte, plus what the API adds around it.
[[nodiscard]] constexpr uint64_t prompt_token_bound(uint64_t bytes) noexcept { return bytes + 64; }

}  // namespace cohort::inline messages
