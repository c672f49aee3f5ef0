// RECORDER: the run's only door to the disk, on a thread of its own. A reply means that the commit is done.
// What it answers for is in the parts: `group_commit` (the ledger), `result_files` (what is delivered),
// `batch_state_counts` (batch-state.json), `ledger_watch` (a ledger that is taken away).
#pragma once

#include <memory>
#include <optional>
#include <set>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/recording/batch_state_counts.hpp"
#include "actors/recording/group_commit.hpp"
#include "actors/recording/ledger_watch.hpp"
#include "actors/recording/result_files.hpp"
#include "actors/run/run_context.hpp"
#include "state/ledger/ledger_backup.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

/// What the RECORDER works on.
struct recorder_options {
  state::workspace workspace;
  std::filesystem::path output;  ///< Absolute; targets are written below it.
  int64_t run = 0;
  bool waits_for_nodes = false;  ///< Tell of tasks that nodes may hold an answer for.
};

class recorder_state {
 public:
  static inline const char* name = "recorder";

  void start(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
             std::shared_ptr<state::ledger> ledger, recorder_options options, coordinator_actor coordinator);

  caf::result<batch_contents> open(const open_batch& request);
  template <class Record>
  caf::typed_response_promise<recorded> store(Record record);
  caf::typed_response_promise<recorded> store_failure(attempt_failed report);
  caf::typed_response_promise<delivery> deliver_file(deliver_text request);
  caf::typed_response_promise<late_outcome> store_late(late_report late);
  caf::result<recorded> close(const close_batch& request);
  caf::result<recorded> close(const close_run& request);
  void flush();
  void on_sync_ended(const sync_ended& how);
  void give_up() { commits_->give_up(); }

 private:
  group_commit::callbacks around_commits();
  /// A record whose commit answers a request: `apply` makes a `Reply`, `noted` is called when it is on disk.
  template <class Reply, class Apply, class Noted>
  caf::typed_response_promise<Reply> commit(bool intent, Apply apply, Noted noted);
  expected<std::optional<task_ended>> source_problem(const task_record& task) const;
  expected<written_result> write_file(const deliver_text& request);
  /// Looks where the ledger is; the first time that it is not in its place, the run is told to stop.
  bool in_place();
  void note_late(const late_report& late, const late_outcome& seen);
  expected<void> publish(bool now);
  void begin_sync();

  recorder_actor::stateful_pointer<recorder_state> self_ = nullptr;
  context_ptr context_;
  std::shared_ptr<state::ledger> ledger_;
  recorder_options options_;
  coordinator_actor coordinator_;
  std::set<task_id> in_doubt_;
  std::unique_ptr<ledger_watch> watch_;
  std::unique_ptr<batch_state_counts> view_;
  std::unique_ptr<result_files> files_;
  std::unique_ptr<group_commit> commits_;
  std::unique_ptr<state::backup_writer> copies_;
};

recorder_actor::behavior_type recorder(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                                       std::shared_ptr<state::ledger> ledger, recorder_options options,
                                       coordinator_actor coordinator);

}  // namespace cohort::actors
