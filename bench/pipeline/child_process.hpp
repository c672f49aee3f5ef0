// A program that runs beside the benchmark, so that its CPU time is not counted with ours.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace cohort::bench {

class child_process {
 public:
  /// Starts `words[0]` with the rest as arguments; its stdout can be read by `line`.
  explicit child_process(const std::vector<std::string>& words);
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;
  /// Ends it with SIGTERM and waits.
  ~child_process();

  /// The next line of its stdout, without the break; empty at the end.
  [[nodiscard]] std::string line();

 private:
  pid_t process_ = -1;
  int output_ = -1;
};

}  // namespace cohort::bench
