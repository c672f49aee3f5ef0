// The life of a run in one process: look at the state, take the lock, plan or continue, connect, run, copy the ledger.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "actors/progress/run_snapshot.hpp"
#include "actors/run/run_system.hpp"
#include "app/reports/run_report.hpp"
#include "app/resolve_run.hpp"
#include "app/stop_handler.hpp"
#include "base/log.hpp"

namespace cohort::app {

/// What a run needs from whoever starts it.
struct run_environment {
  notices& out;
  stop_handler& stop;
  log_level log = log_level::info;
  /// Shows the events of a run with these settings; `listens`: nodes may join.
  std::function<std::shared_ptr<actors::event_sink>(const run_settings& settings, bool listens)> make_sink;
};

/// A run that came to an end of some kind.
struct ended_run {
  run_outcome outcome;
  run_record run;
  attention_list open;
  std::filesystem::path tests;  ///< Folder of the tests. Absolute.
};

/// What is stored, before anything is written. Errors: state that is not ours, was lost, or should be there and is not.
[[nodiscard]] expected<stored_state> look_before_run(const project_context& context);

/// What is in flight may take so long after the first signal.
[[nodiscard]] std::chrono::seconds grace_of(const project_context& context);

/// Runs `how`, which was resolved for `looked_at`. Nothing if there was nothing to do; the user has been told why.
/// Opens the log and leaves it open.
[[nodiscard]] expected<std::optional<ended_run>> run_project(const project_context& context,
                                                             const stored_state& looked_at, const resolved_run& how,
                                                             const run_environment& environment);

}  // namespace cohort::app
