// What the program comes with for every run: `config/defaults.json`, key "run", and over its settings the user's own.
#pragma once

#include "actors/run/attempt_policy.hpp"
#include "messages/run.hpp"

namespace cohort::app {

struct run_defaults {
  run_settings settings;
  actors::retry_limits retries;
  cache_mode cache = cache_mode::none;
  std::chrono::seconds grace{900};   ///< What is in flight may take so long after the first signal.
  milliseconds fallback_rest{2000};  ///< An overloaded model that has a fallback is left alone for so long.
  uint64_t ballast_bytes = 0;        ///< Disk kept in reserve while a run is active.
};

/// `ec::config_invalid` names the file, the key and what is valid.
[[nodiscard]] expected<run_defaults> load_run_defaults();

}  // namespace cohort::app
