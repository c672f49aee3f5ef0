// The two sums.

#include "messages/price.hpp"

#include <algorithm>

namespace cohort::inline messages {

namespace {

const price_card& card_for(uint64_t prompt_tokens, const model_info& model) {
  const price_card* chosen = &model.cards.front();
  for (const auto& card : model.cards)
    if (prompt_tokens > card.above_prompt_tokens || card.above_prompt_tokens == 0) chosen = &card;
  return *chosen;
}

/// Rates stay whole: percentages are applied to pico-dollars, of which the prices are multiples of a thousand.
pico_rate scaled(pico_rate rate, uint64_t percent) noexcept {
  return {static_cast<int64_t>((static_cast<wide_integer>(rate.per_token) * percent + 99) / 100)};
}

pico_rate adjusted(pico_rate rate, const token_usage& usage, const model_info& model) noexcept {
  if (usage.tier == service_tier::batch) rate = scaled(rate, model.batch_percent);
  if (usage.us_inference) rate = scaled(rate, model.us_inference_percent);
  return rate;
}

}  // namespace

nano_dollars cost_of(const token_usage& usage, const model_info& model) {
  const auto& card = card_for(usage.prompt_tokens(), model);
  const auto rate = [&](pico_rate listed) { return adjusted(listed, usage, model); };
  return cost_sum{}
      .add(usage.input_tokens, rate(card.input))
      .add(usage.cache_write_5m_tokens, rate(card.cache_write_5m))
      .add(usage.cache_write_1h_tokens, rate(card.cache_write_1h))
      .add(usage.cache_read_tokens, rate(card.cache_read))
      .add(usage.output_tokens, rate(card.output))
      .total();
}

nano_dollars most_it_can_cost(uint64_t prompt_token_bound, uint32_t max_tokens, const model_info& model) {
  pico_rate input;
  pico_rate output;
  for (const auto& card : model.cards) {
    if (card.above_prompt_tokens != 0 && prompt_token_bound <= card.above_prompt_tokens) continue;
    input = std::max({input, card.input, card.cache_write_5m, card.cache_write_1h, card.cache_read});
    output = std::max(output, card.output);
  }
  const auto percent = std::max<uint64_t>(100, model.us_inference_percent);
  return cost_sum{}.add(prompt_token_bound, scaled(input, percent)).add(max_tokens, scaled(output, percent)).total();
}

}  // namespace cohort::inline messages
