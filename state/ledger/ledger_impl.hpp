// What is behind `ledger`: the open file, its prepared statements, the plan that is being written.
// For the room's own sources only.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "state/ledger/ledger.hpp"
#include "state/ledger/row_signature.hpp"
#include "state/ledger/statement.hpp"
#include "state/sqlite/ledger_file.hpp"

namespace cohort::state {

[[nodiscard]] token_usage read_usage(statement& row);

/// The row of a task that changes.
struct task_row {
  int64_t key = 0;
  uint32_t batch = 0;
  task_state state = task_state::planned;
  uint32_t answer = 0;  ///< The attempt whose answer is the task's; 0: none.
};

/// An attempt as it stands.
struct attempt_row {
  attempt_outcome how = attempt_outcome::open;
  nano_dollars reserved;
  std::string model;
  std::string holder;  ///< Who was to send it; empty: this machine.
};

struct ledger::impl {
  impl(ledger_file&& opened, std::filesystem::path project_path, bool may_write)
      : file(std::move(opened)), project(std::move(project_path)), writable(may_write) {}

  ledger_file file;
  std::filesystem::path project;
  bool writable = false;
  mutable std::unordered_map<const char*, SQLite::Statement> statements;  ///< By the address of their text.

  struct plan {
    int64_t run = 0;
    int64_t first_task = 0;
    std::vector<task_id> tasks;
    std::unordered_map<std::string, int64_t> prefixes;  ///< Row of each shared prefix, by its digest in hex.
  };
  std::optional<plan> draft;

  /// The prepared statement for `sql`, which must be a constant.
  [[nodiscard]] SQLite::Statement& prepared(const char* sql) const;
  [[nodiscard]] SQLite::Statement& prepared(const std::string& sql) const { return prepared(sql.c_str()); }

  /// Signs the row of `table` with this key as it stands now; to be called after each change of a row.
  void sign(ledger_table table, int64_t key) const;
  /// The same for the tables whose key is a task and an attempt's number.
  void sign(ledger_table table, int64_t task, uint32_t number) const;

  template <class Body>
  auto guard(std::string_view action, Body&& body) const noexcept -> decltype(body()) {
    return guarded(&file.database(), file.file(), action, std::forward<Body>(body));
  }

  [[nodiscard]] expected<void> check_writable() const;
  [[nodiscard]] expected<void> check_transaction() const;
  [[nodiscard]] bool in_transaction() const noexcept;

  [[nodiscard]] expected<void> adopt_project();  ///< Refuses another project's ledger; follows a moved project.
  [[nodiscard]] bool knows_a_source() const;
  void count_commit() const;

  [[nodiscard]] expected<task_row> find(int64_t run, const task_id& id) const;
  [[nodiscard]] expected<std::optional<attempt_row>> find_attempt(int64_t task, uint32_t number) const;
  [[nodiscard]] expected<void> widen(const task_row& row, const intent& x) const;
  void set_state(const task_row& row, task_state state, ec code, const std::string& reason) const;
  void store_answer(const task_row& row, const attempt_done& x) const;

  [[nodiscard]] expected<void> sum_tasks(run_record& run, int64_t first, int64_t last) const;
  [[nodiscard]] expected<void> sum_attempts(run_record& run, int64_t first, int64_t last) const;
  void sum_duplicates(run_record& run, int64_t first, int64_t last) const;

  /// Reads the rows of `statement`, whose columns are those of `full_task_columns`.
  [[nodiscard]] expected<std::vector<task_record>> read_tasks(statement& rows) const;
  /// Adds what earlier attempts of the batch's open tasks asked, and how they ended.
  [[nodiscard]] expected<void> add_past(int64_t run, uint32_t batch, std::vector<task_record>& tasks) const;
  [[nodiscard]] expected<std::string> prefix_text(int64_t id) const;
  [[nodiscard]] expected<int64_t> prefix_row(const digest& digest, const std::string& text) const;

  // The parts of `audit`. Troubles become findings.
  [[nodiscard]] price_history read_price_history(std::vector<audit_finding>* findings) const;
  void audit_plans(const ledger& ledger, ledger_audit& audit) const;
  void audit_attempts(const price_history& present, ledger_audit& audit) const;
  void audit_answers(ledger_audit& audit) const;
  void audit_states(ledger_audit& audit) const;
  void audit_files(ledger_audit& audit) const;
  void audit_signatures(ledger_audit& audit) const;

  /// Paths inside the project are stored relative to it, so that a moved project still knows its files.
  [[nodiscard]] std::string stored_path(const std::string& path) const;
  [[nodiscard]] std::string shown_path(const std::string& path) const;

  [[nodiscard]] tl::unexpected<error> corrupt(std::string_view what) const {
    return tl::unexpected{damaged(file.file(), what)};
  }
};

}  // namespace cohort::state
