// `--stats`, `--dry-run` and `--clean`: looking at the state, and putting it aside. The first two write nothing at all.
#pragma once

#include <optional>

#include "cli/command_context.hpp"

namespace cohort {

/// Each returns the process's exit code.
[[nodiscard]] int show_stats(const command_context& context);
[[nodiscard]] int dry_run(const command_context& context, const std::optional<run_record>& stored);
[[nodiscard]] int clean(const command_context& context);

/// "N tasks were delivered before ...".
[[nodiscard]] std::string delivered_words(size_t count);

}  // namespace cohort
