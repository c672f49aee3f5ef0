// Reads and raises RLIMIT_NOFILE, and counts open descriptors in /proc.

#include "cluster/descriptor_limit.hpp"

#include <algorithm>
#include <filesystem>

#include <sys/resource.h>

namespace cohort::cluster {

namespace {

constexpr rlim_t enough = 16'384;
constexpr size_t least_for_the_run = 64;
constexpr size_t least_to_lend = 16;

}  // namespace

void raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= enough) return;
  limit.rlim_cur = std::min(limit.rlim_max, enough);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

size_t descriptors_to_lend() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return least_to_lend;
  std::error_code failed;
  size_t used = 0;
  for (std::filesystem::directory_iterator it{"/proc/self/fd", failed}, end; !failed && it != end; it.increment(failed))
    ++used;
  const auto most = static_cast<size_t>(std::min(limit.rlim_cur, enough));
  const size_t left = most > used ? most - used : 0;
  const size_t kept = std::max(least_for_the_run, left / 3);
  return std::max(least_to_lend, left > kept ? left - kept : 0);
}

}  // namespace cohort::cluster
