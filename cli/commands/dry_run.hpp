// `--dry-run`: what would be done, and what it would cost. Writes nothing at all.
#pragma once

#include "app/resolve_run.hpp"
#include "cli/options.hpp"

namespace cohort::cli {

/// Returns the process's exit code.
[[nodiscard]] int dry_run(const app::project_context& context, const app::stored_state& stored,
                          const generate_options& options, app::notices& out);

}  // namespace cohort::cli
