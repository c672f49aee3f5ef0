// A price list that somebody edited.
// Claims: models are found by their names; whatever the prices are, no answer within a request's bounds costs more than
// what was reserved for it.

#include <algorithm>

#include "claude/api/catalog.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

/// Numbers that follow from the input alone.
class draw {
 public:
  explicit draw(uint64_t seed) : state_(seed | 1U) {}
  uint64_t below(uint64_t bound) {
    state_ ^= state_ << 13U;
    state_ ^= state_ >> 7U;
    state_ ^= state_ << 17U;
    return bound == 0 ? 0 : state_ % bound;
  }

 private:
  uint64_t state_;
};

void check_prices(const model_info& model, uint64_t seed) {
  draw next{seed};
  for (int i = 0; i < 4; ++i) {
    const uint64_t bound = next.below(i == 0 ? 200 : 2 * model.context_tokens) + 1;
    const auto max_tokens = static_cast<uint32_t>(next.below(model.max_output_tokens) + 1);
    token_usage usage;
    usage.cache_read_tokens = next.below(bound);
    usage.cache_write_1h_tokens = next.below(bound - usage.cache_read_tokens);
    usage.cache_write_5m_tokens = next.below(bound - usage.cache_read_tokens - usage.cache_write_1h_tokens);
    usage.input_tokens = bound - usage.prompt_tokens();
    if (next.below(2) == 0) usage.input_tokens = next.below(usage.input_tokens + 1);
    usage.output_tokens = next.below(max_tokens + 1ULL);
    usage.tier = next.below(2) == 0 ? service_tier::standard : service_tier::batch;
    usage.us_inference = next.below(2) == 0;
    const auto cost = cost_of(usage, model);
    holds(cost.count >= 0, "a cost is not negative");
    holds(cost <= most_it_can_cost(bound, max_tokens, model), "no answer costs more than its reservation");
  }
}

}  // namespace

void run(std::string_view input) {
  const auto list = claude::catalog::parse(input, "models.json");
  if (!list) {
    holds(list.error().code == ec::config_invalid && !list.error().message.empty(), "a refusal says why");
    return;
  }
  holds(!list->models().empty(), "a price list holds a model");
  for (const auto& model : list->models()) {
    holds(!model.cards.empty(), "a model has a price");
    const auto found = list->find(model.id);
    holds(found && found->id == model.id, "a model is found by its id");
    check_prices(model, hash_of(input));
  }
  holds(!list->find("no such model"), "an unknown model is refused");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
