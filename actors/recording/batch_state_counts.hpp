// How the run stands by what is on disk: the tasks of the open batches, and the view that is published from them as
// batch-state.json.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/messages/recording.hpp"
#include "base/clock.hpp"
#include "messages/run.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

class batch_state_counts {
 public:
  /// Without a run nothing is ever published.
  batch_state_counts(state::workspace workspace, std::optional<run_record> run)
      : workspace_(std::move(workspace)), run_(std::move(run)) {}

  void open_batch(uint32_t batch, const std::vector<task_record>& tasks);
  void close_batch(uint32_t batch);
  /// A task of an open batch, without prompt and answer; null if there is none.
  [[nodiscard]] const task_record* find(const task_id& id) const;

  // What is on disk now. `fresh`: it was not there before.
  void note(const intent&, bool) {}
  void note(const attempt_done& stored, bool fresh);
  void note(const attempt_failed&, bool) {}
  void note(const task_ended& stored, bool) { note_state(stored.task, stored.state); }
  void note_state(const task_id& id, task_state state);
  void note_cost(uint32_t batch, const std::string& model, nano_dollars cost);

  /// Begins again from what the ledger says.
  void replace(std::optional<run_record> run) { run_ = std::move(run); }

  [[nodiscard]] expected<void> publish();         ///< On disk when it returns.
  [[nodiscard]] expected<void> publish_soon();    ///< Synced whenever the system does.
  [[nodiscard]] expected<void> publish_if_due();  ///< At most once a second.

 private:
  [[nodiscard]] expected<void> write(bool now);

  state::workspace workspace_;
  std::optional<run_record> run_;
  std::unordered_map<task_id, task_record> tasks_;
  std::unordered_map<uint32_t, std::vector<task_id>> batches_;
  steady_time published_{};
};

}  // namespace cohort::actors
