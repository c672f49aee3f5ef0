// What a run looks like while it runs: a live line on a terminal, plain lines elsewhere, events as JSON, or nothing.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "actors/progress/run_snapshot.hpp"
#include "messages/run.hpp"

namespace cohort::cli {

enum class verbosity : uint8_t { quiet, normal, verbose };

struct screen_options {
  verbosity level = verbosity::normal;
  bool json = false;
  bool shows_batches = true;  ///< False: lines for people do not speak of them.
  run_settings settings;
};

/// The screen that fits options and terminal.
[[nodiscard]] std::shared_ptr<actors::event_sink> make_screen(const screen_options& options);

/// One event as a line of JSON with its end. Kinds and fields are documented in docs/commands.md.
[[nodiscard]] std::string event_as_json(const run_event& event, const actors::run_snapshot& now);

/// "batches 3/12  tasks 27/120  2 failed  $0.42 of about $1.80, limit $2.00 a batch  3 in flight  4m 12s left".
[[nodiscard]] std::string status_line(const actors::run_snapshot& now, const screen_options& options, steady_time at);

}  // namespace cohort::cli
