// `--stats` and `--clean`: looking at the state, and putting it aside. The first writes nothing at all.
#pragma once

#include "cli/command_context.hpp"

namespace cohort::cli {

/// Each returns the process's exit code.
[[nodiscard]] int show_stats(const command_context& context);
[[nodiscard]] int clean(const command_context& context);

}  // namespace cohort::cli
