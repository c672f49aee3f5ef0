// `--output`: a JSON report for each batch, written when the batch ends.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/progress/run_snapshot.hpp"
#include "state/workspace.hpp"

namespace cohort::cli {

/// `inner`, and a file `batch-NNN.json` in `folder` for each batch that ends. Errors: the folder cannot be made.
[[nodiscard]] expected<std::shared_ptr<actors::event_sink>> with_batch_reports(
    std::shared_ptr<actors::event_sink> inner, const std::filesystem::path& folder, const state::workspace& workspace,
    int64_t run);

}  // namespace cohort::cli
