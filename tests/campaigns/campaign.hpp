// What campaigns in C++ share, as campaign.py does for those in Python: flags, a line for each run, the verdict, and
// the folder of a run that failed.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/digest.hpp"

namespace cohort {

/// One run: gets its seed and an empty folder, returns the facts for its line; an exception is a failure.
using campaign_run = std::function<std::string(uint64_t seed, const std::filesystem::path& folder)>;

struct campaign_flags {
  uint64_t seeds = 0;
  uint64_t first_seed = 0;
  std::filesystem::path keep;
};

/// Ends the process if the flags make no sense.
inline campaign_flags parse_campaign_flags(int argc, char** argv, uint64_t short_form) {
  campaign_flags flags;
  flags.seeds = short_form;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (value != nullptr && flag == "--seeds")
      flags.seeds = std::strtoull(value, nullptr, 10);
    else if (value != nullptr && flag == "--first-seed")
      flags.first_seed = std::strtoull(value, nullptr, 10);
    else if (value != nullptr && flag == "--keep")
      flags.keep = value;
    else {
      std::printf("usage: %s [--seeds N] [--first-seed N] [--keep DIR]; the short form has %llu seeds\n", argv[0],
                  static_cast<unsigned long long>(short_form));
      std::exit(flag == "--help" ? 0 : 2);
    }
    ++i;
  }
  return flags;
}

/// Fails the run with `what` unless `holds`.
inline void claim(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error{what};
}

/// Runs a campaign; the result is the exit code. `verdict` is asked for a sentence once all runs are done.
inline int run_campaign(const std::string& name, const std::string& promise, const campaign_flags& flags,
                        const campaign_run& run, const std::function<std::string()>& verdict) {
  namespace fs = std::filesystem;
  using clock = std::chrono::steady_clock;
  const auto seconds_since = [](clock::time_point begun) {
    return std::chrono::duration<double>(clock::now() - begun).count();
  };
  const auto root = flags.keep.empty() ? fs::temp_directory_path() : flags.keep;
  const auto begun = clock::now();
  uint64_t failed = 0;
  for (auto seed = flags.first_seed; seed < flags.first_seed + flags.seeds; ++seed) {
    const auto folder = root / ("cohort-" + name + "-" + std::to_string(seed) + "-" + random_hex(4));
    fs::create_directories(folder);
    const auto started = clock::now();
    try {
      const auto facts = run(seed, folder);
      std::printf("%s seed %llu: ok, %s, %.1f s\n", name.c_str(), static_cast<unsigned long long>(seed), facts.c_str(),
                  seconds_since(started));
      fs::remove_all(folder);
    } catch (const std::exception& problem) {
      ++failed;
      std::printf("%s seed %llu: FAILED, %s, kept in %s; repeat: --first-seed %llu --seeds 1\n", name.c_str(),
                  static_cast<unsigned long long>(seed), problem.what(), folder.c_str(),
                  static_cast<unsigned long long>(seed));
    }
    std::fflush(stdout);
  }
  std::printf("%s: %s\n%s: %s in %llu runs from seed %llu, %.0f s. %s\n", name.c_str(), promise.c_str(), name.c_str(),
              failed == 0 ? "held" : (std::to_string(failed) + " FAILED").c_str(),
              static_cast<unsigned long long>(flags.seeds), static_cast<unsigned long long>(flags.first_seed),
              seconds_since(begun), failed == 0 ? verdict().c_str() : "");
  return failed == 0 ? 0 : 1;
}

}  // namespace cohort
