// Reads the planning numbers of config/defaults.json and refuses values that would make planning misbehave later.

#include "planning/sizing/planning_defaults.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/field_reader.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::planning {

namespace {

using nlohmann::json;

constexpr uint64_t most_bytes = 32ULL << 20;  ///< Of a whole request, by the API.
constexpr uint64_t most_tokens = 128'000;     ///< Of an answer, by the API.
constexpr uint64_t longest_answer = 16'000;   ///< In tokens; longer ones need streaming.
constexpr uint64_t most_percent = 10'000;
constexpr uint64_t most_units = 10'000;
constexpr uint64_t most_tenth_bytes = 1'000;
constexpr uint64_t most_auto_batches = 1'000;

expected<void> read_limits(const json& object, const std::string& where, prompt_limits& limits) {
  field_reader reader{object, where};
  reader.required("max_prompt_bytes", 1, most_bytes, limits.max_prompt_bytes);
  reader.required("max_units_per_part", 1, most_units, limits.max_units_per_part);
  reader.required("max_example_bytes", 1, most_bytes, limits.max_example_bytes);
  reader.required("max_dependency_bytes", 1, most_bytes, limits.max_dependency_bytes);
  return reader.finish();
}

expected<void> read_efforts(const json& object, const std::string& where, std::map<std::string, uint32_t>& percents) {
  field_reader reader{object, where};
  for (const std::string effort : {"low", "medium", "high", "xhigh", "max"})
    reader.number(effort, 1, most_percent, [&](uint64_t value) { percents[effort] = static_cast<uint32_t>(value); });
  return reader.finish();
}

expected<void> read_rates(const json& object, const std::string& where, estimate_rates& rates) {
  field_reader reader{object, where};
  reader.required("expected_tenth_bytes_per_token", 1, most_tenth_bytes, rates.expected_tenth_bytes_per_token);
  reader.required("low_tenth_bytes_per_token", 1, most_tenth_bytes, rates.low_tenth_bytes_per_token);
  reader.required("output_tokens_base", 1, most_tokens, rates.output_tokens_base);
  reader.required("output_tokens_per_unit", 1, most_tokens, rates.output_tokens_per_unit);
  reader.required("output_percent_of_source", 1, most_percent, rates.output_percent_of_source);
  reader.required("low_output_percent", 1, 100, rates.low_output_percent);
  reader.object("output_percent_by_effort", [&](const json& inner, const std::string& inside) {
    return read_efforts(inner, inside, rates.output_percent_by_effort);
  });
  reader.required("max_tokens_base", 1, most_tokens, rates.max_tokens_base);
  reader.required("max_tokens_per_unit", 1, most_tokens, rates.max_tokens_per_unit);
  reader.required("max_tokens_percent_of_source", 1, most_percent, rates.max_tokens_percent_of_source);
  reader.required("min_max_tokens", 1, longest_answer, rates.min_max_tokens);
  reader.required("max_max_tokens", 1, longest_answer, rates.max_max_tokens);
  if (auto fine = reader.finish(); !fine) return fine;
  const auto contradiction = [&](std::string_view what) {
    return fail(ec::config_invalid, fmt::format("{}: {}", where, what));
  };
  if (rates.min_max_tokens > rates.max_max_tokens)
    return contradiction("\"min_max_tokens\" is above \"max_max_tokens\"");
  if (rates.low_tenth_bytes_per_token < rates.expected_tenth_bytes_per_token)
    return contradiction("\"low_tenth_bytes_per_token\" is below \"expected_tenth_bytes_per_token\"");
  return {};
}

expected<void> read_batches(const json& object, const std::string& where, auto_batch_rule& rule) {
  field_reader reader{object, where};
  reader.required("auto_target_batches", 1, most_auto_batches, rule.auto_target_batches);
  reader.required("auto_min_size", 1, most_batch_size, rule.auto_min_size);
  return reader.finish();
}

/// Calls `read(object, where, target)` with the group.
template <class Target, class Read>
expected<void> read_group(const json& root, const std::filesystem::path& file, const char* key, Target& target,
                          Read read) {
  const auto where = fmt::format("'{}', key \"{}\"", file.string(), key);
  const auto group = root.find(key);
  if (group == root.end() || !group->is_object()) return fail(ec::config_invalid, where + " must be an object");
  return read(*group, where, target);
}

}  // namespace

expected<planning_defaults> load_planning_defaults(const std::filesystem::path& config_dir) {
  const auto file = config_dir / "defaults.json";
  const auto root = read_json_object(file);
  if (!root) return tl::unexpected{root.error()};
  planning_defaults result;
  auto fine = read_group(*root, file, "planning", result.limits, read_limits);
  if (fine) fine = read_group(*root, file, "estimates", result.estimates, read_rates);
  if (fine) fine = read_group(*root, file, "batches", result.batches, read_batches);
  if (!fine) return tl::unexpected{fine.error()};
  return result;
}

}  // namespace cohort::planning
