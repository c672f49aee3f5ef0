// `--output`: a JSON report for each batch, written when the batch ends.
#pragma once

#include <filesystem>
#include <memory>

#include "actors/progress/run_snapshot.hpp"
#include "app/notices.hpp"
#include "state/workspace.hpp"

namespace cohort::app {

/// `inner`, and a file `batch-NNN.json` in `folder` for each batch that ends. Errors: the folder cannot be made. `out`
/// must outlive what is returned.
[[nodiscard]] expected<std::shared_ptr<actors::event_sink>> with_batch_reports(
    std::shared_ptr<actors::event_sink> inner, const std::filesystem::path& folder, const state::workspace& workspace,
    int64_t run, notices& out);

}  // namespace cohort::app
