// Reads the planning numbers of config/defaults.json and refuses values that would make planning misbehave later.

#include "planning/sizing/planning_defaults.hpp"

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::planning {

namespace {

constexpr uint64_t most_bytes = 32ULL << 20;  ///< Of a whole request, by the API.
constexpr uint64_t most_tokens = 128'000;     ///< Of an answer, by the API.
constexpr uint64_t longest_answer = 16'000;   ///< In tokens; longer ones need streaming.
constexpr uint64_t most_percent = 10'000;
constexpr uint64_t most_units = 10'000;
constexpr uint64_t most_tenth_bytes = 1'000;
constexpr uint64_t most_auto_batches = 1'000;

void read_limits(const config_reader& read, prompt_limits& limits) {
  read.require("max_prompt_bytes", 1, most_bytes, limits.max_prompt_bytes);
  read.require("max_units_per_part", 1, most_units, limits.max_units_per_part);
  read.require("max_example_bytes", 1, most_bytes, limits.max_example_bytes);
  read.require("max_dependency_bytes", 1, most_bytes, limits.max_dependency_bytes);
}

void read_efforts(const config_reader& read, estimate_rates& rates) {
  for (const char* effort : {"low", "medium", "high", "xhigh", "max"})
    if (read.has(effort)) read.require(effort, 1, most_percent, rates.output_percent_by_effort[effort]);
}

void read_rates(const config_reader& read, estimate_rates& rates) {
  read.require("expected_tenth_bytes_per_token", 1, most_tenth_bytes, rates.expected_tenth_bytes_per_token);
  read.require("low_tenth_bytes_per_token", 1, most_tenth_bytes, rates.low_tenth_bytes_per_token);
  read.require("output_tokens_base", 1, most_tokens, rates.output_tokens_base);
  read.require("output_tokens_per_unit", 1, most_tokens, rates.output_tokens_per_unit);
  read.require("output_percent_of_source", 1, most_percent, rates.output_percent_of_source);
  read.require("low_output_percent", 1, 100, rates.low_output_percent);
  if (read.has("output_percent_by_effort")) read_efforts(read.at("output_percent_by_effort"), rates);
  read.require("max_tokens_base", 1, most_tokens, rates.max_tokens_base);
  read.require("max_tokens_per_unit", 1, most_tokens, rates.max_tokens_per_unit);
  read.require("max_tokens_percent_of_source", 1, most_percent, rates.max_tokens_percent_of_source);
  read.require("min_max_tokens", 1, longest_answer, rates.min_max_tokens);
  read.require("max_max_tokens", 1, longest_answer, rates.max_max_tokens);
  if (rates.min_max_tokens > rates.max_max_tokens) read.report("\"min_max_tokens\" is above \"max_max_tokens\"");
  if (rates.low_tenth_bytes_per_token < rates.expected_tenth_bytes_per_token)
    read.report("\"low_tenth_bytes_per_token\" is below \"expected_tenth_bytes_per_token\"");
}

void read_batches(const config_reader& read, auto_batch_rule& rule) {
  read.require("auto_target_batches", 1, most_auto_batches, rule.auto_target_batches);
  read.require("auto_min_size", 1, most_batch_size, rule.auto_min_size);
}

}  // namespace

expected<planning_defaults> load_planning_defaults(const std::filesystem::path& config_dir) {
  const auto document = config_document::load(config_dir / "defaults.json");
  if (!document) return tl::unexpected{document.error()};
  planning_defaults result;
  read_limits(document->group("planning"), result.limits);
  read_rates(document->group("estimates"), result.estimates);
  read_batches(document->group("batches"), result.batches);
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return result;
}

}  // namespace cohort::planning
