// Holds the numbers of config/defaults.json that planning uses. Data, not code: nothing here has a default of its own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "base/error.hpp"

namespace cohort::planning {

/// How big a prompt and its sections may grow. Bytes, unless said otherwise.
struct prompt_limits {
  uint64_t max_prompt_bytes = 0;      ///< Shared prefix and tail together.
  uint32_t max_units_per_part = 0;    ///< Functions and methods that one request is asked to test.
  uint64_t max_example_bytes = 0;     ///< Of the existing test that is shown.
  uint64_t max_dependency_bytes = 0;  ///< Of the dependencies' signatures.
};

/// What `estimate.hpp` computes with. A unit is a function or method to test.
struct estimate_rates {
  uint32_t expected_tenth_bytes_per_token = 0;
  uint32_t low_tenth_bytes_per_token = 0;
  uint32_t output_tokens_base = 0;
  uint32_t output_tokens_per_unit = 0;
  uint32_t output_percent_of_source = 0;  ///< Of the source's expected tokens.
  uint32_t low_output_percent = 0;        ///< Of the expected output.
  std::map<std::string, uint32_t> output_percent_by_effort;
  uint32_t max_tokens_base = 0;
  uint32_t max_tokens_per_unit = 0;
  uint32_t max_tokens_percent_of_source = 0;
  uint32_t min_max_tokens = 0;
  uint32_t max_max_tokens = 0;
};

/// How `batch_sizing.hpp` chooses sizes automatically.
struct auto_batch_rule {
  uint32_t auto_target_batches = 0;
  uint32_t auto_min_size = 0;
};

struct planning_defaults {
  prompt_limits limits;
  estimate_rates estimates;
  auto_batch_rule batches;
};

/// Reads `config_dir/defaults.json`. If a number is missing or out of bounds, has another type, or a key is unknown,
/// fails with `ec::config_invalid`, which names the file, the key and what is valid.
[[nodiscard]] expected<planning_defaults> load_planning_defaults(const std::filesystem::path& config_dir);

}  // namespace cohort::planning
