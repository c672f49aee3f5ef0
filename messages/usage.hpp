// What the provider counted for one answer.
#pragma once

#include <compare>
#include <cstdint>
#include <initializer_list>

namespace cohort::inline messages {

/// The price tier that an answer was served and is billed in. `as_reserved` is our own: the provider's counts cannot be
/// true, so that the answer is charged with its reservation.
enum class service_tier : uint8_t { standard, priority, batch, as_reserved };

/// Tokens of one answer, from the API's `usage`. The prompt's size is the sum of the four input kinds:
/// `input_tokens` alone is only its uncached part.
struct token_usage {
  uint64_t input_tokens = 0;           ///< Uncached part of the prompt.
  uint64_t cache_write_5m_tokens = 0;  ///< Written to the five-minute cache.
  uint64_t cache_write_1h_tokens = 0;  ///< Written to the one-hour cache.
  uint64_t cache_read_tokens = 0;
  uint64_t output_tokens = 0;  ///< Includes thinking.
  service_tier tier = service_tier::standard;
  bool us_inference = false;  ///< `inference_geo` is "us", which costs more.

  /// Saturates: counts come from a provider or a node.
  [[nodiscard]] constexpr uint64_t prompt_tokens() const noexcept {
    uint64_t sum = input_tokens;
    for (const auto more : {cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens})
      sum = more > UINT64_MAX - sum ? UINT64_MAX : sum + more;
    return sum;
  }
  friend constexpr bool operator==(const token_usage&, const token_usage&) = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, token_usage& x) {
  return f(x.input_tokens, x.cache_write_5m_tokens, x.cache_write_1h_tokens, x.cache_read_tokens, x.output_tokens,
           x.tier, x.us_inference);
}

}  // namespace cohort::inline messages
