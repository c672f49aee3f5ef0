// What `cohort verify` finds out about a ledger: everything computed again from the rows, nothing believed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "messages/run.hpp"
#include "state/ledger/price_history.hpp"

namespace cohort::state {

/// What kind of thing does not agree.
enum class disagreement : uint8_t {
  altered,     ///< A row's check value does not hold.
  money,       ///< A cost is not what usage and price make.
  state,       ///< A task's state and what is stored about it contradict each other.
  missing,     ///< A delivered file is not there.
  edited,      ///< A delivered file has another content than the one that was recorded.
  unreadable,  ///< A delivered file cannot be read.
  incomplete,  ///< A delivered file lacks what a task delivered into it.
  view,        ///< `batch-state.json` says something else than the ledger.
  archive,     ///< A ledger that `--clean` put aside.
};

/// Snake-case name, as reports have it.
[[nodiscard]] std::string_view name(disagreement kind) noexcept;

/// One thing that does not agree.
struct audit_finding {
  disagreement kind = disagreement::state;
  std::string where;  ///< Path, task or field.
  std::string what;   ///< A sentence without its full stop.
};

/// A delivered file as recorded, with what its restoration needs. One for each path, over all runs.
struct recorded_file {
  std::string path;  ///< Absolute.
  digest content;
  int64_t run = 0;
  task_id task;                  ///< The one that delivered it last.
  std::string label;             ///< Of that task.
  std::string target;            ///< Of that task.
  std::string output_directory;  ///< Of its run: absolute, or relative to the project.
  bool conflict_copy = false;    ///< The wanted name was taken by a file that is not ours.
};

/// A ledger looked at as a whole.
struct ledger_audit {
  uint32_t runs = 0;
  uint64_t tasks = 0;  ///< Of all runs, as the other numbers.
  uint64_t attempts = 0;
  uint64_t answers = 0;
  spending spent;       ///< Computed from usage and prices.
  spending newest_run;  ///< Computed in the same way.
  std::vector<recorded_file> files;
  std::vector<audit_finding> findings;
};

/// What a delivered file looks like now.
enum class file_condition : uint8_t { intact, missing, edited, unreadable };

/// Compares the file at `path` with `content`. Follows no link at its end: a link is not what was delivered.
[[nodiscard]] file_condition condition_of(const std::string& path, const digest& content);

/// True if nothing stands at `path`; the cheap half of `condition_of`.
[[nodiscard]] bool is_missing(const std::string& path) noexcept;

}  // namespace cohort::state
