// The course of `generate-logical-batch` and `generate-logical`.
#pragma once

#include "cli/options.hpp"

namespace cohort::cli {

/// Runs the command; returns the process's exit code.
[[nodiscard]] int generate(const generate_options& options);

}  // namespace cohort::cli
