// The ledger: the truth about runs, tasks, attempts, answers and money, in SQLite (WAL, synchronous=FULL).
// Invariants: a plan is stored whole or not at all; an outcome is stored once, the first one wins; money is
// only ever added. One process writes at a time (state/run_lock.hpp); readers may look at any moment.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/signing_key.hpp"
#include "messages/delivered_work.hpp"
#include "messages/run.hpp"
#include "state/ledger/audit.hpp"
#include "state/ledger/results.hpp"

namespace cohort::state {

/// A delivered file as recorded.
struct delivered_file {
  task_id task;
  std::string path;  ///< Absolute.
  digest content;
  bool synced = false;
  bool conflict_copy = false;  ///< The wanted name was taken by a file that is not ours.
};

/// A finished attempt, for reports and `verify`.
struct attempt_record {
  task_id task;
  uint32_t attempt = 0;
  std::string model;
  std::string request_id;
  nano_dollars reserved;
  nano_dollars cost;
  token_usage usage;
  ec code = ec::none;        ///< `ec::none`: answered.
  bool open = false;         ///< No outcome recorded.
  bool unconfirmed = false;  ///< Charged with its reservation.
};

/// Where an attempt and its task stand.
struct attempt_state {
  uint32_t batch = 0;
  task_state state = task_state::planned;
  nano_dollars charged;   ///< What the attempt counts for as unconfirmed now; 0 if its outcome is known.
  nano_dollars reserved;  ///< For the attempt, whatever became of it.
  std::string model;      ///< Full id that was asked; empty if there is no such attempt.
  std::string holder;     ///< Identity and process of the node that it was given to; empty: none.
  bool owed = false;      ///< Its outcome is not known: a report may still come.
  bool answered = false;
};

/// An attempt that a node was to send and whose outcome is not known.
struct in_doubt_attempt {
  task_id task;
  uint32_t attempt = 0;
  std::string holder;  ///< The node's identity and process.
  bool open = false;   ///< No outcome is stored; otherwise a report came, and what it may have cost stays charged.
};

/// What tells one ledger from another, and a newer one from an older.
struct ledger_marks {
  std::string ledger_id;
  std::string
      folder;  ///< Which folder it was copied in (`state/ledger/ledger_backup.hpp`); empty for the ledger itself.
  uint64_t commits = 0;  ///< Grows with each change.
};

/// Where an open ledger is.
enum class ledger_location : uint8_t { there, moved, deleted };

class ledger {
 public:
  enum class access : uint8_t { read_only, read_write };

  /// Opens an existing ledger, or (read_write) creates one. Errors: `ec::state_missing`, `ec::state_corrupt`
  /// (integrity check failed; nothing is changed), `ec::state_newer`, `ec::state_foreign` (made for another project:
  /// the stored project path differs and that other path still holds the same ledger), `ec::io`, `ec::disk_full`.
  /// Read-only access writes nothing at all, not even a WAL or SHM file when none exists.
  [[nodiscard]] static expected<ledger> open(const std::filesystem::path& file, const std::filesystem::path& project,
                                             access mode);

  /// A ledger that `key` signed, for reading, in whichever place.
  [[nodiscard]] static expected<ledger> open_with(const std::filesystem::path& file,
                                                  const std::filesystem::path& project, const signing_key& key);

  ledger(ledger&&) noexcept;
  ledger& operator=(ledger&&) noexcept;
  ~ledger();

  /// Random, made with the ledger: tells it from all others.
  [[nodiscard]] expected<std::string> identity() const;

  [[nodiscard]] expected<ledger_marks> marks() const;

  /// Copies the ledger into the user's own state folder (`state/ledger/ledger_backup.hpp`). May be called on another
  /// thread while this ledger is written.
  [[nodiscard]] expected<void> write_backup() const;

  // --- Runs and plans -------------------------------------------------------------------------------------------

  /// The newest run with its batches summed up, or nothing.
  [[nodiscard]] expected<std::optional<run_record>> newest_run() const;

  /// What was spent on plans that `run` replaces: the runs right before it that were never finished.
  [[nodiscard]] expected<spending> spent_on_replaced_plans(int64_t run) const;

  /// True if a task with this identity was delivered in any run.
  [[nodiscard]] expected<bool> delivered_before(const task_id& id) const;

  /// What the delivered tests of all runs are for.
  [[nodiscard]] expected<delivered_work> delivered() const;

  /// Starts a run in one open transaction; `add_task` for each task, then `commit_plan`. Anything else, a crash
  /// included, leaves the ledger as it was. `batch_of[i]` of `commit_plan` is the batch of the i-th added task.
  [[nodiscard]] expected<int64_t> begin_plan(const run_settings& settings, const std::string& model_id);
  [[nodiscard]] expected<void> add_task(const task_spec& task);
  [[nodiscard]] expected<void> commit_plan(const std::vector<uint32_t>& batch_of);
  void abandon_plan() noexcept;

  /// Stores what a later start changed (limits, concurrency, ...) and the status.
  [[nodiscard]] expected<void> update_run(int64_t run, const run_settings& settings, run_status status);

  /// Notes the prices that attempts are charged at from now on, unless they stand there already.
  [[nodiscard]] expected<void> record_prices(const std::vector<model_info>& models);

  /// The tasks of one batch in plan order, with their prompts, and stored answers of those in state `answered`.
  [[nodiscard]] expected<std::vector<task_record>> load_batch(int64_t run, uint32_t batch) const;

  /// Calls `visit` for each task of a run without prompts and answers (labels, states, reasons, costs).
  [[nodiscard]] expected<void> for_each_task(int64_t run, const std::function<void(const task_record&)>& visit) const;

  // --- The life of a task; inside `begin`/`commit`, many in one transaction -----------------------------------------

  [[nodiscard]] expected<void> begin();
  [[nodiscard]] expected<void> commit();  ///< On disk when it returns.
  void rollback() noexcept;

  [[nodiscard]] expected<void> record(int64_t run, const intent& x);
  /// False: this attempt's outcome was stored before; nothing is added. A second *different* attempt that is answered
  /// after another one was stored adds its cost but not its text, and counts as a duplicate. A task that failed without
  /// any answer takes a late one and is `answered` again. An unbilled failure settles an attempt that was given up.
  [[nodiscard]] expected<bool> record(int64_t run, const attempt_done& x);
  [[nodiscard]] expected<bool> record(int64_t run, const attempt_failed& x);
  [[nodiscard]] expected<void> record(int64_t run, const task_ended& x);
  [[nodiscard]] expected<void> record(int64_t run, const delivery& x);

  /// `ec::task_unknown` if the run has no such task.
  [[nodiscard]] expected<attempt_state> attempt_state_of(int64_t run, const task_id& id, uint32_t attempt) const;

  /// Attempts of unanswered tasks that nodes were given and that have no known outcome.
  [[nodiscard]] expected<std::vector<in_doubt_attempt>> in_doubt(int64_t run) const;

  /// Answers of all parts of `target` that are stored, in part order, with their specs (for assembling one file).
  [[nodiscard]] expected<std::vector<task_record>> answered_parts(int64_t run, const std::string& target) const;

  // What stands in which file, over all runs; see state/ledger/results.hpp.

  /// The tasks of all runs that have an answer for this source and target, in order of part, older ones first.
  [[nodiscard]] expected<std::vector<target_task>> tasks_for(const source_target& whose) const;

  /// The file that was delivered to `path` (in any run), or nothing.
  [[nodiscard]] expected<std::optional<result_file>> result_at(const std::string& path) const;

  /// The file at `path`, just recorded as a delivery, holds the results of these delivered tasks, too.
  [[nodiscard]] expected<void> set_targets(const std::vector<target_task>& tasks, const std::string& path);

  /// Targets of which a file was delivered by another task, after one that was delivered into it.
  [[nodiscard]] expected<std::vector<source_target>> targets_of_several_tasks() const;

  /// The recorded content of the file at `path`, if we delivered it (in any run).
  [[nodiscard]] expected<std::optional<digest>> delivered_content(const std::string& path) const;

  /// The absolute paths of all files that any run delivered, in no order. They may be gone, or edited by the user.
  [[nodiscard]] expected<std::vector<std::string>> delivered_paths() const;

  // --- A ledger that is taken away while it is open ----------------------------------------------------------------

  [[nodiscard]] ledger_location whereabouts() const noexcept;
  /// Where a moved one is now.
  [[nodiscard]] std::filesystem::path path_now() const;
  /// Writes one that was deleted to its place again, or, if another one is there by now, under another name. Returns
  /// where.
  [[nodiscard]] expected<std::filesystem::path> put_back();

  // --- Checks --------------------------------------------------------------------------------------------------------

  /// Deliveries that were not synced yet; `mark_synced` after their files are. One that was delivered anew in between,
  /// with other content, stays unsynced.
  [[nodiscard]] expected<std::vector<delivered_file>> unsynced() const;
  [[nodiscard]] expected<void> mark_synced(const std::vector<delivered_file>& files);
  [[nodiscard]] expected<std::vector<delivered_file>> deliveries(int64_t run) const;
  [[nodiscard]] expected<std::vector<attempt_record>> attempts(int64_t run) const;
  /// Everything computed again from the rows of all runs, attempts from their usage and the prices noted for their
  /// time, else from `present`. Troubles become findings; an error only if the file cannot be read.
  [[nodiscard]] expected<ledger_audit> audit(const std::vector<model_info>& present) const;
  /// The stored answer of a task, verbatim; nothing if there is none.
  [[nodiscard]] expected<std::optional<std::string>> answer_of(int64_t run, const task_id& id) const;

 private:
  struct impl;
  explicit ledger(std::unique_ptr<impl> self);
  std::unique_ptr<impl> self_;
};

}  // namespace cohort::state
