// Which name a result gets below the output folder, and whether it may take the place of what stands there.
// Invariants: a file that is not ours, or that the user changed since, is never touched; a file that holds results
// which count is replaced only by one that holds them as well; no link below the output folder is followed.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "actors/recording/target_parts.hpp"
#include "base/files.hpp"
#include "base/folder.hpp"
#include "messages/run.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

/// How the name ends of a file that one part of several has for itself: "part2".
[[nodiscard]] std::string part_ending(const task_spec& part);

/// A file that was written, or that had its content already, and what is to be recorded of it.
struct written_result {
  int64_t run = 0;  ///< Of `what.task`.
  delivery what;
  std::vector<state::target_task>
      with;  ///< Delivered tasks that this file holds from now on, and their old one may not.
};

class result_writer {
 public:
  /// `output` is absolute; targets are written below it.
  result_writer(const state::ledger& ledger, const answer_handler& handler, state::workspace workspace,
                std::filesystem::path output)
      : ledger_(ledger), handler_(handler), workspace_(std::move(workspace)), output_(std::move(output)) {}

  struct request {
    const part_list& all;      ///< Of the same source and target.
    const target_part& whose;  ///< Is recorded as the one that delivered the file.
    const file_share& share;
    std::filesystem::path first;  ///< Tried before all other names unless it is empty: a path that the ledger has.
    durability when = durability::later;
  };

  /// Writes the share under the first name that is free or may be replaced.
  [[nodiscard]] expected<written_result> write(const request& what) const;

 private:
  enum class target_state : uint8_t { written, ours, foreign };
  struct found_target {
    folder root;
    std::filesystem::path name;  ///< Below `root`.
  };

  [[nodiscard]] expected<std::filesystem::path> path_number(uint32_t n, const request& what) const;
  [[nodiscard]] expected<found_target> find(const std::filesystem::path& path, const task_spec& task) const;
  [[nodiscard]] expected<target_state> try_at(const std::filesystem::path& path, const request& what) const;
  [[nodiscard]] bool may_be_torn(const std::string& path) const;

  const state::ledger& ledger_;
  const answer_handler& handler_;
  state::workspace workspace_;
  std::filesystem::path output_;
};

/// Writes again what the file at `path` should hold of a target, from stored answers: at that place as far as it may be
/// touched, else under another name. Records it. `path` is one that the ledger has. Returns the paths. Outside of a
/// transaction.
[[nodiscard]] expected<std::vector<std::string>> write_again(state::ledger& ledger, const answer_handler& handler,
                                                             const state::workspace& workspace,
                                                             const state::source_target& whose,
                                                             const std::filesystem::path& path);

/// What a power cut leaves of a file that was renamed but not synced.
[[nodiscard]] bool looks_torn(const std::string& content) noexcept;

}  // namespace cohort::actors
