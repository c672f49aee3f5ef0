// What the process says at its end. Documented in `--help` and docs/commands.md; part of the interface.
#pragma once

namespace cohort::cli {

enum class exit_code : int {
  done = 0,
  fatal = 1,
  usage = 2,             ///< Command line or configuration.
  failed_tasks = 3,      ///< Finished; some tasks failed.
  stopped_by_limit = 4,  ///< Work is deferred.
  locked = 11,           ///< Another run holds the lock.
  interrupted = 130,
};

/// What `main` returns.
constexpr int to_int(exit_code code) noexcept { return static_cast<int>(code); }

inline constexpr const char* exit_code_help =
    "Exit codes: 0 done, 1 fatal error, 2 usage or configuration, 3 finished with failed tasks,\n"
    "4 stopped by a limit with work deferred, 11 another run holds the lock, 130 interrupted.";

}  // namespace cohort::cli
