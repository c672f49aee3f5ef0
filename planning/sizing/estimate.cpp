// Computes estimates with integers only, because they are compared with limits to the nano-dollar.

#include "planning/sizing/estimate.hpp"

#include <algorithm>

namespace cohort::planning {

namespace {

uint64_t divided_up(uint64_t value, uint64_t divisor) noexcept { return (value + divisor - 1) / divisor; }

uint64_t tokens_in(uint64_t bytes, uint32_t tenth_bytes_per_token) noexcept {
  return divided_up(bytes * 10, tenth_bytes_per_token);
}

uint64_t expected_output(const task_size& size, std::string_view effort, const estimate_rates& rates) {
  const auto source_tokens = tokens_in(size.source_bytes, rates.expected_tenth_bytes_per_token);
  const auto plain = rates.output_tokens_base + uint64_t{rates.output_tokens_per_unit} * size.units +
                     source_tokens * rates.output_percent_of_source / 100;
  const auto found = rates.output_percent_by_effort.find(std::string{effort});
  return found == rates.output_percent_by_effort.end() ? plain : divided_up(plain * found->second, 100);
}

nano_dollars price_of(uint64_t input, uint64_t output, const model_info& model) {
  token_usage usage;
  usage.input_tokens = input;
  usage.output_tokens = output;
  return cost_of(usage, model);
}

}  // namespace

uint32_t max_tokens_for(const task_size& size, const estimate_rates& rates, const model_info& model) {
  const auto source_tokens = tokens_in(size.source_bytes, rates.expected_tenth_bytes_per_token);
  const auto wanted = rates.max_tokens_base + uint64_t{rates.max_tokens_per_unit} * size.units +
                      source_tokens * rates.max_tokens_percent_of_source / 100;
  const auto bounded = std::clamp<uint64_t>(wanted, rates.min_max_tokens, rates.max_max_tokens);
  return static_cast<uint32_t>(std::min<uint64_t>(bounded, model.max_output_tokens));
}

task_estimate estimate_task(const task_size& size, uint32_t max_tokens, std::string_view effort,
                            const estimate_rates& rates, const model_info& model) {
  task_estimate result;
  result.input_tokens = tokens_in(size.prompt_bytes, rates.expected_tenth_bytes_per_token);
  result.output_tokens = std::min<uint64_t>(expected_output(size, effort, rates), max_tokens);
  result.worst = most_it_can_cost(prompt_token_bound(size.prompt_bytes), max_tokens, model);
  result.expected = std::min(result.worst, price_of(result.input_tokens, result.output_tokens, model));
  const auto low_input = tokens_in(size.prompt_bytes, rates.low_tenth_bytes_per_token);
  const auto low_output = result.output_tokens * rates.low_output_percent / 100;
  result.low = std::min(result.expected, price_of(low_input, low_output, model));
  return result;
}

task_estimate sum_of(std::span<const task_estimate> estimates) {
  task_estimate sum;
  for (const auto& one : estimates) {
    sum.input_tokens += one.input_tokens;
    sum.output_tokens += one.output_tokens;
    sum.low += one.low;
    sum.expected += one.expected;
    sum.worst += one.worst;
  }
  return sum;
}

}  // namespace cohort::planning
