// Settings that come from `config/`: the defaults of a run, templates, and the bounds on asking again.
#pragma once

#include <string>

#include "actors/run/attempt_policy.hpp"
#include "messages/run.hpp"

namespace cohort::cli {

/// Bounds of settings, wherever they come from. Those of a batch's size stand in planning/sizing/batch_sizing.hpp.
inline constexpr uint32_t most_parallel_batches = 1000;
inline constexpr uint32_t most_concurrent = 10'000;
inline constexpr uint64_t longest_timeout_seconds = 7ULL * 24 * 3600;
inline constexpr uint32_t most_complexity = 10;

struct run_defaults {
  run_settings settings;
  actors::retry_limits retries;
  cache_mode cache = cache_mode::none;
  std::chrono::seconds grace{900};   ///< What is in flight may take so long after the first signal.
  milliseconds fallback_rest{2000};  ///< An overloaded model that has a fallback is left alone for so long.
  uint64_t ballast_bytes = 0;        ///< Disk kept in reserve while a run is active.
};

/// From `config/defaults.json`, key "run". `ec::config_invalid` names the file, the key and what is valid.
[[nodiscard]] expected<run_defaults> load_run_defaults();

/// Lays `config/templates/NAME.json` over `settings`. `ec::usage` lists the templates if there is no such one.
[[nodiscard]] expected<void> lay_template(const std::string& name, run_settings& settings);

}  // namespace cohort::cli
