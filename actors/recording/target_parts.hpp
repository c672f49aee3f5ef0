// The tasks that make up the test file of one source, over all runs of the ledger, and what is usable of their answers.
// Invariant: a delivered task counts until newer delivered tasks have asked for everything that it asked for; see
// docs/decisions/0028.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "messages/task.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::actors {

/// What is usable in a stored answer. Fails with the class of its stop reason, or as the answer handler does.
[[nodiscard]] expected<std::string> usable_text(const answer_handler& handler, const task_record& answered);

/// One task of a target.
struct target_part {
  state::target_task where;
  task_spec spec;
  std::string text;       ///< What is usable of its answer; see `usable`.
  bool usable = false;    ///< False for a delivered task whose answer the present rules of the answer handler refuse.
  bool own_file = false;  ///< It cannot share a file.
  bool counts = true;     ///< False: newer ones have asked for all of it.

  [[nodiscard]] bool stands_in(const std::string& path) const { return counts && where.path == path; }
};

/// In order of part, older ones first.
using part_list = std::vector<target_part>;

/// Some of a list's parts.
using part_group = std::vector<const target_part*>;

/// Parts that go into one file, and its content. Points into a `part_list`.
struct file_share {
  part_group parts;  ///< At least one.
  std::string content;

  [[nodiscard]] bool has(const target_part& one) const;
};

/// Reads parts. Keeps what it found in answers, within a bound, because each part of a file is needed again when the
/// next one arrives.
class target_reader {
 public:
  target_reader(const state::ledger& ledger, const answer_handler& handler) : ledger_(ledger), handler_(handler) {}

  /// All delivered tasks of all runs.
  [[nodiscard]] expected<part_list> delivered(const state::source_target& whose);

  /// The same with what comes now: `task` of `run`, with `extracted` from its answer, counted as delivered; and the
  /// answered tasks of `run`, which will follow.
  [[nodiscard]] expected<part_list> with(const task_spec& task, int64_t run, const std::string& extracted);

 private:
  struct finding {
    std::string text;
    bool own_file = false;
  };
  using answer_key = std::pair<int64_t, task_id>;

  [[nodiscard]] expected<void> read_answers(part_list& parts, const std::string& target);
  void take(target_part& part, task_record record);
  void keep(const answer_key& whose, finding what);

  const state::ledger& ledger_;
  const answer_handler& handler_;
  std::map<answer_key, finding> known_;
  size_t known_bytes_ = 0;
};

/// The part of `task` in `run`; null if there is none.
[[nodiscard]] const target_part* find_part(const part_list& parts, int64_t run, const task_id& task);

/// The file that `newest` belongs into: itself, with all parts that count and can be merged with it.
[[nodiscard]] file_share share_of(const answer_handler& handler, const part_list& parts, const target_part& newest);

/// What the file at `path` should hold: its parts that count, or all of its parts if none does. More than one share if
/// they cannot be merged. Parts whose answer is not usable are left out.
[[nodiscard]] std::vector<file_share> shares_at(const answer_handler& handler, const part_list& parts,
                                                const std::string& path);

}  // namespace cohort::actors
