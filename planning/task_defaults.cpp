// Reads config/defaults.json and refuses what would make planning misbehave later.

#include "planning/task_defaults.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort {

namespace {

using json = nlohmann::json;

/// Collects numbers and remembers the first complaint, so that a table of fields needs one check.
class field_reader {
 public:
  field_reader(const json& root, std::string section) : section_(std::move(section)) {
    if (root.is_object() && root.contains(section_) && root[section_].is_object()) object_ = &root[section_];
  }

  template <class Number>
  field_reader& read(const char* field, Number& into) {
    if (!trouble_.empty()) return *this;
    const auto* value = object_ != nullptr && object_->contains(field) ? &(*object_)[field] : nullptr;
    if (value == nullptr || !value->is_number_unsigned() || value->get<uint64_t>() == 0 ||
        value->get<uint64_t>() > std::numeric_limits<uint32_t>::max()) {
      trouble_ = fmt::format("'{}' -> '{}' must be a positive whole number", section_, field);
      return *this;
    }
    into = static_cast<Number>(value->get<uint64_t>());
    return *this;
  }

  field_reader& read_map(const char* field, std::map<std::string, uint32_t>& into) {
    if (object_ == nullptr || !object_->contains(field)) return *this;
    for (const auto& [key, value] : (*object_)[field].items()) {
      if (!value.is_number_unsigned() && trouble_.empty())
        trouble_ = fmt::format("'{}' -> '{}' -> '{}' must be a positive whole number", section_, field, key);
      else if (trouble_.empty())
        into[key] = value.get<uint32_t>();
    }
    return *this;
  }

  [[nodiscard]] const std::string& trouble() const noexcept { return trouble_; }

 private:
  std::string section_;
  const json* object_ = nullptr;
  std::string trouble_;
};

std::string read_limits(const json& root, prompt_limits& limits) {
  return field_reader{root, "planning"}
      .read("max_prompt_bytes", limits.max_prompt_bytes)
      .read("max_units_per_part", limits.max_units_per_part)
      .read("max_example_bytes", limits.max_example_bytes)
      .read("max_dependency_bytes", limits.max_dependency_bytes)
      .trouble();
}

std::string read_rates(const json& root, estimate_rates& rates) {
  auto trouble = field_reader{root, "estimates"}
                     .read("expected_tenth_bytes_per_token", rates.expected_tenth_bytes_per_token)
                     .read("low_tenth_bytes_per_token", rates.low_tenth_bytes_per_token)
                     .read("output_tokens_base", rates.output_tokens_base)
                     .read("output_tokens_per_unit", rates.output_tokens_per_unit)
                     .read("output_percent_of_source", rates.output_percent_of_source)
                     .read("low_output_percent", rates.low_output_percent)
                     .read_map("output_percent_by_effort", rates.output_percent_by_effort)
                     .read("max_tokens_base", rates.max_tokens_base)
                     .read("max_tokens_per_unit", rates.max_tokens_per_unit)
                     .read("max_tokens_percent_of_source", rates.max_tokens_percent_of_source)
                     .read("min_max_tokens", rates.min_max_tokens)
                     .read("max_max_tokens", rates.max_max_tokens)
                     .trouble();
  if (trouble.empty() && rates.min_max_tokens > rates.max_max_tokens)
    trouble = "'estimates' -> 'min_max_tokens' is above 'max_max_tokens'";
  if (trouble.empty() && rates.max_max_tokens > 16000)
    trouble = "'estimates' -> 'max_max_tokens' must be at most 16000: longer answers need streaming";
  if (trouble.empty() && rates.low_tenth_bytes_per_token < rates.expected_tenth_bytes_per_token)
    trouble = "'estimates' -> 'low_tenth_bytes_per_token' is below the expected one";
  if (trouble.empty() && rates.low_output_percent > 100) trouble = "'estimates' -> 'low_output_percent' is above 100";
  return trouble;
}

std::string read_batches(const json& root, auto_batch_rule& rule) {
  return field_reader{root, "batches"}
      .read("auto_target_batches", rule.auto_target_batches)
      .read("auto_min_size", rule.auto_min_size)
      .trouble();
}

}  // namespace

expected<planning_defaults> load_planning_defaults(const std::filesystem::path& config_dir) {
  const auto path = config_dir / "defaults.json";
  const auto text = read_file(path, 1U << 20);
  if (!text) return tl::unexpected{text.error()};
  const auto root = json::parse(*text, nullptr, false);
  if (root.is_discarded()) return fail(ec::config_invalid, fmt::format("'{}' is not valid JSON", path.string()));
  planning_defaults result;
  auto trouble = read_limits(root, result.limits);
  if (trouble.empty()) trouble = read_rates(root, result.estimates);
  if (trouble.empty()) trouble = read_batches(root, result.batches);
  if (!trouble.empty()) return fail(ec::config_invalid, fmt::format("'{}': {}", path.string(), trouble));
  return result;
}

}  // namespace cohort
