// Settings that come from `config/`: the defaults of a run, templates, and the bounds on asking again.
#pragma once

#include <string>

#include "actors/outcome_policy.hpp"
#include "messages/ledger.hpp"

namespace cohort {

struct run_defaults {
  run_settings settings;
  retry_limits retries;
  cache_mode cache = cache_mode::none;
  std::chrono::seconds grace{900};  ///< What is in flight may take so long after the first signal.
  uint64_t ballast_bytes = 0;       ///< Disk kept in reserve while a run is active.
};

/// From `config/defaults.json`, key "run". `ec::config_invalid` names the field.
[[nodiscard]] expected<run_defaults> load_run_defaults();

/// Lays `config/templates/NAME.json` over `settings`. `ec::usage` lists the templates if there is no such one.
[[nodiscard]] expected<void> lay_template(const std::string& name, run_settings& settings);

}  // namespace cohort
