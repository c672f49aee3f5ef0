// What the ledger knows about the files that are made of answers, over all runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "messages/run.hpp"

namespace cohort::state {

/// A task with an answer for some target.
struct target_task {
  int64_t run = 0;
  task_id task;
  task_state state = task_state::answered;  ///< `answered` or `delivered`.
  std::string path;              ///< Absolute: the file that its result stands in. Empty if it was not delivered.
  std::string output_directory;  ///< Of its run: absolute, or relative to the project.
};

/// A delivered file: who delivered it last, for which source and target.
struct result_file {
  digest content;
  int64_t run = 0;
  task_id task;
  std::string source;
  std::string target;
  std::string output_directory;  ///< Of the run: absolute, or relative to the project.
  bool conflict_copy = false;
};

/// A target of one source.
struct source_target {
  std::string source;
  std::string target;
};

}  // namespace cohort::state
