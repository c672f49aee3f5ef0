// What an answer costs: by the provider's own count if that can be true, else its reservation. The one place where it
// is decided whether a `usage` is believed, for answers of this machine and of nodes alike.
#pragma once

#include <optional>
#include <string_view>

#include "messages/price.hpp"
#include "messages/request.hpp"

namespace cohort::inline messages {

/// Why a `usage` is not believed.
enum class usage_doubt : uint8_t {
  none,
  not_counted,        ///< Missing, negative, not whole, absurd, or not believed by the node that asked.
  small_prompt,       ///< Fewer input tokens than the prompt can have; none, as a rule.
  large_prompt,       ///< More input tokens than the prompt has bytes.
  small_output,       ///< Fewer output tokens than the text can have; none, as a rule.
  large_output,       ///< More output tokens than were allowed.
  other_tier,         ///< Served in a tier that was not asked for.
  above_reservation,  ///< A bill that is larger than the most that it can be.
};

/// Words for a warning, without a full stop.
[[nodiscard]] std::string_view sentence(usage_doubt doubt) noexcept;

/// What a request makes possible.
struct asked_size {
  uint64_t prompt_bytes = 0;
  uint32_t max_tokens = 0;
};
[[nodiscard]] asked_size size_of(const completion_request& request) noexcept;

/// Without `asked`, because the request is not known any more, what depends on it is believed.
[[nodiscard]] usage_doubt doubt_about(const completion& answer, const std::optional<asked_size>& asked) noexcept;

struct priced_answer {
  nano_dollars cost;
  token_usage usage;  ///< To be stored with it. Without counts and `as_reserved` if it was not believed.
  usage_doubt doubt = usage_doubt::none;
};

/// `reserved` is what was reserved for the attempt, or nothing if that is not known.
/// Invariant: if something was reserved, the cost is not above it.
[[nodiscard]] priced_answer price_of(const completion& answer, const std::optional<asked_size>& asked,
                                     const model_info& model, nano_dollars reserved);

}  // namespace cohort::inline messages
