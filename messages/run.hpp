// A run: its settings, how its tasks and batches stand, and what it has spent.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/money.hpp"
#include "messages/attempt.hpp"
#include "messages/task.hpp"

namespace cohort::inline messages {

/// Where a task stands. Final: delivered, failed, skipped. The numeric values are stored.
enum class task_state : uint8_t {
  planned = 0,    ///< Waits for its turn; also after an interruption.
  answered = 1,   ///< A paid answer is on disk; the file is not written yet.
  delivered = 2,  ///< The file is written.
  failed = 3,     ///< Ended without a usable answer; has a class and a reason.
  skipped = 4,    ///< Never asked: source gone or changed.
  deferred = 5,   ///< A limit left no room; the next run takes it up first.
};

[[nodiscard]] constexpr bool is_final(task_state state) noexcept {
  return state == task_state::delivered || state == task_state::failed || state == task_state::skipped;
}

/// What happens when a batch reaches its cost limit.
enum class limit_policy : uint8_t { stop, next, warn };

/// The settings of a run: what is frozen with the plan, and what a later start may change.
struct run_settings {
  uint32_t batch_size = 10;      ///< 1 to 50; 0: sized by the work in each batch.
  std::string model = "sonnet";  ///< As the user named it: alias or full id.
  uint32_t concurrent = 3;
  milliseconds timeout{900'000};  ///< For one task, all its attempts together.
  uint32_t min_complexity = 5;
  std::optional<nano_dollars> cost_limit;  ///< For each batch.
  std::optional<nano_dollars> budget;      ///< For the whole run. Always hard.
  limit_policy on_limit = limit_policy::stop;
  uint32_t parallel_batches = 0;  ///< 0: automatic.
  std::string output_directory;   ///< Where targets are written: absolute, or relative to the project.
  std::string effort;             ///< Model effort, or empty.
  std::string fallback;           ///< Model that stands in during an overload: alias, id, "auto", or empty for none.
};

enum class run_status : uint8_t { running = 0, interrupted = 1, stopped_by_limit = 2, finished = 3, failed = 4 };

/// "running", "interrupted", "stopped", "finished", "failed": as `batch-state.json` shows it.
[[nodiscard]] std::string_view name(run_status status) noexcept;
[[nodiscard]] std::string_view name(task_state state) noexcept;
[[nodiscard]] std::string_view name(limit_policy policy) noexcept;

/// A task reached a state without a new file: failed, skipped, deferred, or planned again.
struct task_ended {
  task_id task;
  task_state state = task_state::failed;
  ec code = ec::none;
  std::string reason;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_ended& x) {
  return f(x.task, x.state, x.code, x.reason);
}

/// A task's file is written.
struct delivery {
  task_id task;
  std::string path;  ///< Absolute path of the file.
  digest content;
  bool conflict_copy = false;  ///< The wanted name was taken by a file that the user changed.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, delivery& x) {
  return f(x.task, x.path, x.content.bytes, x.conflict_copy);
}

/// How many tasks are in each state; the sum is the number of tasks.
struct state_counts {
  uint32_t planned = 0;
  uint32_t answered = 0;
  uint32_t delivered = 0;
  uint32_t failed = 0;
  uint32_t skipped = 0;
  uint32_t deferred = 0;

  [[nodiscard]] uint32_t& of(task_state state) noexcept;
  [[nodiscard]] constexpr uint32_t total() const noexcept {
    return planned + answered + delivered + failed + skipped + deferred;
  }
  [[nodiscard]] constexpr uint32_t final() const noexcept { return delivered + failed + skipped; }
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, state_counts& x) {
  return f(x.planned, x.answered, x.delivered, x.failed, x.skipped, x.deferred);
}

/// One batch of the plan.
struct batch_record {
  uint32_t index = 0;  ///< Counts from 0.
  state_counts tasks;
  spending spent;
  task_estimate estimate;  ///< Sum over its tasks.
  bool synced = false;     ///< Its files were synced and it will not be opened again.
};

/// What one model did in a run.
struct model_share {
  uint32_t answers = 0;  ///< That were paid for, whatever became of them.
  nano_dollars cost;
};

/// A run as the ledger knows it.
struct run_record {
  int64_t id = 0;        ///< Counts from 1 in one ledger.
  std::string batch_id;  ///< "batch-1735689600000".
  std::string project;   ///< Absolute path of the project.
  std::string workload;  ///< What its tasks are for: "generate-tests".
  run_settings settings;
  std::string model_id;  ///< Full id that the plan was made for.
  wall_time started;
  wall_time updated;
  run_status status = run_status::running;
  std::vector<batch_record> batches;
  uint32_t duplicate_answers = 0;               ///< Paid answers to tasks that had one already.
  nano_dollars duplicate_cost;                  ///< What those cost; part of what was spent.
  std::map<std::string, model_share> by_model;  ///< By the full id of the model that was asked.

  /// True if another model than the plan's answered something.
  [[nodiscard]] bool fell_back() const noexcept;
  [[nodiscard]] state_counts tasks() const noexcept;
  [[nodiscard]] spending spent() const noexcept;
  [[nodiscard]] task_estimate estimate() const noexcept;
  [[nodiscard]] uint32_t completed_batches() const noexcept;  ///< With every task in a final state.
  /// The first batch that has a task left to do; the number of batches if there is none.
  [[nodiscard]] uint32_t next_batch() const noexcept;
};

/// A task with where it stands: what a BATCH starts from.
struct task_record {
  task_spec spec;
  uint32_t batch = 0;
  task_state state = task_state::planned;
  uint32_t attempts = 0;  ///< Attempts so far, over all runs of the program.
  ec code = ec::none;
  std::string reason;
  std::string answer;                       ///< Verbatim; only while `state` is `answered`.
  stop_reason stop = stop_reason::unknown;  ///< Why the model ended `answer`.
  std::vector<past_attempt> past;           ///< In order; of tasks that are not ended, where a batch is loaded.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_record& x) {
  return f(x.spec, x.batch, x.state, x.attempts, x.code, x.reason, x.answer, x.stop, x.past);
}

}  // namespace cohort::inline messages
