// RECORDER: the run's only door to the disk, on a thread of its own. Many records share one commit: each waits a few
// milliseconds for company, an intent, for which a worker waits, the shortest, and it goes before all others. A reply
// means that the commit is done.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <thread>
#include <unordered_map>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include "actors/interfaces.hpp"
#include "actors/run_context.hpp"
#include "state/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort {

/// What the RECORDER works on.
struct recorder_options {
  workspace place;
  std::filesystem::path output;  ///< Absolute; targets are written below it.
  int64_t run = 0;
  bool waits_for_nodes = false;  ///< Tell of tasks that nodes may hold an answer for.
};

class recorder_state {
 public:
  static inline const char* name = "recorder";

  recorder_state() = default;
  recorder_state(const recorder_state&) = delete;
  recorder_state& operator=(const recorder_state&) = delete;
  ~recorder_state();

  void start(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context, std::shared_ptr<ledger> book,
             recorder_options options, coordinator_actor coordinator);

  caf::result<batch_contents> open(const open_batch& wish);
  template <class Record>
  caf::typed_response_promise<recorded> store(Record record);
  caf::typed_response_promise<recorded> store_failure(attempt_failed report);
  caf::typed_response_promise<delivery> deliver_file(deliver_text wish);
  caf::typed_response_promise<late_outcome> store_late(late_report late);
  caf::result<recorded> close(const close_batch& wish);
  caf::result<recorded> close(const close_run& wish);
  void flush();
  void on_sync_ended(const sync_ended& how);
  void give_up();

 private:
  /// One record that waits for its commit. `apply` may run again after a failed commit.
  struct pending {
    std::function<expected<void>()> apply;
    std::function<void(const error*)> answer;
    bool unpaid = false;  ///< An intent: refused, not kept, while the ledger cannot be written.
  };
  enum class urgency : bool { may_wait, soon };

  void enqueue(pending entry, urgency how);
  void form_group();
  void commit_group();
  void keep_text(const attempt_failed& report);
  expected<void> commit_all();
  bool make_room();
  template <class Outcome>
  Outcome noted(Outcome outcome);
  void refuse_unpaid(const error& problem);
  void retry_later(const error& problem);
  void look_after_ledger();
  expected<void> put_back();
  expected<delivery> write_target(const deliver_text& wish);
  [[nodiscard]] bool may_be_torn(const std::string& path) const;
  expected<std::string> assembled(const task_spec& spec, const std::string& extracted);
  expected<late_outcome> record_late(const late_report& late);
  expected<std::optional<task_ended>> source_problem(const task_record& task);
  expected<void> restore_torn_files();
  void begin_sync();
  expected<void> sync_now();
  expected<void> publish(bool now);
  void note_cost(uint32_t batch, const std::string& model, nano_dollars cost);
  /// Brings the view up to date with what is on disk now.
  template <class Record>
  void note(const Record& stored, bool fresh);
  void note_state(const task_id& id, task_state state);

  recorder_actor::stateful_pointer<recorder_state> self_ = nullptr;
  context_ptr context_;
  std::shared_ptr<ledger> book_;
  recorder_options options_;
  coordinator_actor coordinator_;
  std::vector<pending> urgent_;  ///< Intents: a worker waits for each.
  std::deque<pending> patient_;  ///< Everything else, in order of arrival.
  std::vector<pending> group_;   ///< What the next commit holds; kept while it cannot be written.
  bool flush_soon_ = false;      ///< A flush comes within `intent_pause`.
  bool flush_later_ = false;     ///< A flush comes within `group_pause`.
  bool ledger_failed_ = false;   ///< What the last record met concerns the ledger as a whole.
  bool trouble_told_ = false;    ///< The ledger cannot be written; the run was told.
  bool giving_up_ = false;       ///< Stop now: what cannot be written is not kept any longer.
  bool displaced_ = false;       ///< The ledger was moved or deleted: nothing is written in its old place.
  std::optional<run_record> view_;
  std::unordered_map<task_id, task_record> open_tasks_;  ///< Of the open batches; without prompts and answers.
  std::set<task_id> awaited_;
  std::unordered_map<uint32_t, std::vector<task_id>> open_batches_;
  steady_time published_{};
  steady_time sync_begun_{};
  std::vector<delivered_file> syncing_;  ///< What the sync under way covers.
  std::thread sync_;                     ///< Waits for the disk, so that no intent has to; joined before the next.
};

recorder_actor::behavior_type recorder(recorder_actor::stateful_pointer<recorder_state> self, context_ptr context,
                                       std::shared_ptr<ledger> book, recorder_options options,
                                       coordinator_actor coordinator);

}  // namespace cohort
