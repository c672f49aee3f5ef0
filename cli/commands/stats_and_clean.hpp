// `--stats` and `--clean`: looking at the state, and putting it aside. The first writes nothing at all.
#pragma once

#include "app/project_context.hpp"
#include "cli/options.hpp"

namespace cohort::cli {

/// Each returns the process's exit code.
[[nodiscard]] int show_stats(const app::project_context& context, const generate_options& options, app::notices& out);
[[nodiscard]] int clean(const app::project_context& context, const generate_options& options);

}  // namespace cohort::cli
