// A provider's word against what the request makes possible.

#include "messages/priced_answer.hpp"

namespace cohort::inline messages {

namespace {

/// No tokenizer has longer tokens; real text has two to four bytes a token.
constexpr uint64_t most_bytes_per_token = 256;

/// True if so few tokens cannot stand for so many bytes.
bool too_few(uint64_t tokens, uint64_t bytes) noexcept { return tokens < bytes / most_bytes_per_token + (bytes > 0); }

}  // namespace

std::string_view sentence(usage_doubt doubt) noexcept {
  switch (doubt) {
    case usage_doubt::none: return "it is believed";
    case usage_doubt::not_counted: return "a count is missing or cannot be true";
    case usage_doubt::small_prompt: return "fewer input tokens than the prompt can have";
    case usage_doubt::large_prompt: return "more input tokens than the prompt has bytes";
    case usage_doubt::small_output: return "fewer output tokens than the answer can have";
    case usage_doubt::large_output: return "more output tokens than were allowed";
    case usage_doubt::other_tier: return "a price tier that was not asked for";
    case usage_doubt::above_reservation: return "more than the most that the request can cost";
  }
  return {};
}

asked_size size_of(const completion_request& request) noexcept {
  return {request.shared_prefix.size() + request.prompt.size(), request.max_tokens};
}

usage_doubt doubt_about(const completion& answer, const std::optional<asked_size>& asked) noexcept {
  const auto& usage = answer.usage;
  if (usage.tier == service_tier::as_reserved) return usage_doubt::not_counted;
  // Nobody asks for batches here; "priority" may come by itself, at no other price than we know.
  if (usage.tier != service_tier::standard && usage.tier != service_tier::priority) return usage_doubt::other_tier;
  if (too_few(usage.prompt_tokens(), asked ? asked->prompt_bytes : 1)) return usage_doubt::small_prompt;
  if (too_few(usage.output_tokens, answer.text.size())) return usage_doubt::small_output;
  if (!asked) return usage_doubt::none;
  if (usage.prompt_tokens() > prompt_token_bound(asked->prompt_bytes)) return usage_doubt::large_prompt;
  if (usage.output_tokens > asked->max_tokens) return usage_doubt::large_output;
  return usage_doubt::none;
}

priced_answer price_of(const completion& answer, const std::optional<asked_size>& asked, const model_info& model,
                       nano_dollars reserved) {
  priced_answer priced{cost_of(answer.usage, model), answer.usage, doubt_about(answer, asked)};
  if (priced.doubt == usage_doubt::none && reserved.count > 0 && priced.cost > reserved)
    priced.doubt = usage_doubt::above_reservation;
  if (priced.doubt == usage_doubt::none) return priced;
  priced.cost = reserved;
  priced.usage = {};
  priced.usage.tier = service_tier::as_reserved;
  return priced;
}

}  // namespace cohort::inline messages
