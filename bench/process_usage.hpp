// What this process has used so far, as the kernel counts it.
#pragma once

#include <sys/resource.h>

namespace cohort::bench {

/// User and system time of all threads, in milliseconds.
inline double cpu_ms() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(used.ru_utime) + ms(used.ru_stime);
}

/// The most memory that was resident at once, in MiB.
inline double peak_rss_mb() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1024;
}

}  // namespace cohort::bench
