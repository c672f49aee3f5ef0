// The files that are made of answers: when they are written and synced, and what a crash may have left of them.
// Invariant: no delivery drops a result that another delivered task of this ledger brought; see target_parts.hpp.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "actors/recording/result_writer.hpp"
#include "actors/recording/target_parts.hpp"
#include "actors/run/run_context.hpp"
#include "base/clock.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

class result_files {
 public:
  /// `output` is absolute; targets are written below it.
  result_files(std::shared_ptr<state::ledger> ledger, context_ptr context, state::workspace workspace,
               std::filesystem::path output, int64_t run);
  result_files(const result_files&) = delete;
  result_files& operator=(const result_files&) = delete;
  ~result_files();

  /// Writes the file that the task's answer belongs into, `extracted` being what is usable of it: the target with all
  /// parts of all runs that count and can be merged with it, or, if it cannot be merged, a file of its own. Under the
  /// wanted name, or another one if a file stands there that is not ours or holds something else. Not synced.
  [[nodiscard]] expected<written_result> write(const task_spec& spec, const std::string& extracted);

  /// Writes files that were not synced before the last end, and are missing or torn, again from their stored answers.
  /// Outside of a transaction.
  [[nodiscard]] expected<void> restore();

  /// Keeps the text of an answer without a credible bill, outside of the tests: it is not used, but may be paid for,
  /// and so the user can have it. Does nothing for other failures.
  void keep_unusable(const attempt_failed& report) const;

  /// Syncs what is not synced yet on a thread of its own, so that no intent has to wait for the disk, unless the last
  /// sync is less than a second ago or still under way. `ended` is called there; `end_sync` is to follow.
  void begin_sync(std::function<void(expected<void>)> ended);
  /// Waits until `ended` was called, if a sync is under way.
  void await_sync();
  /// The files that the sync under way covers; none is under way any more.
  [[nodiscard]] std::vector<state::delivered_file> end_sync();

  /// Syncs everything and notes it in the ledger; restores what was deleted together with the folder.
  [[nodiscard]] expected<void> sync_now();

 private:
  std::shared_ptr<state::ledger> ledger_;
  context_ptr context_;
  state::workspace workspace_;
  std::filesystem::path output_;
  int64_t run_ = 0;
  target_reader reader_;
  result_writer writer_;
  steady_time sync_begun_{};
  std::vector<state::delivered_file> syncing_;
  std::thread sync_;  ///< Joined before the next.
};

}  // namespace cohort::actors
