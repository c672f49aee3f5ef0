// Campaign: does the rate limiter use what a provider allows, with hardly a refusal?

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "tests/claude/api/virtual_traffic.hpp"

namespace {

using namespace cohort;
using namespace cohort::claude::virtual_traffic;

constexpr double most_refused_percent = 1.0;
constexpr uint64_t refused_unknowing = 5;  ///< Of any number: at the beginning nothing is known of the limits.
constexpr double least_used_percent = 95.0;

/// Every seed is another provider: its limits, its latency, what it counts when, how long it is asked.
setting drawn(uint64_t seed) {
  std::mt19937_64 random{seed * 7919 + 1};
  const auto among = [&random](std::initializer_list<double> values) {
    return *(values.begin() + std::uniform_int_distribution<size_t>{0, values.size() - 1}(random));
  };
  setting rules{};
  rules.requests = among({100, 300, 1000, 4000});
  const double per_minute = rules.requests;
  rules.input = seed % 3 == 1 ? per_minute * typical_input / 2 : 1e9;
  rules.output = seed % 3 == 2 ? per_minute * typical_output / 2 : 1e9;
  rules.latency_ms = among({200, 3000, 20'000, 60'000});
  rules.minutes = among({3, 10});
  rules.counts_output_late = seed % 2 == 0;
  rules.stamps_late = among({0, 1}) != 0;
  rules.error = among({0, 0.1, 0.3});
  rules.outage_from_ms = 70'000;
  rules.outage_ms = seed % 4 == 3 ? 30'000 : 0;
  rules.demand = five_times_the_limit(rules);
  return rules;
}

bool held(const setting& rules, const result& got) {
  const bool few = got.refused_percent() <= most_refused_percent || got.refused <= refused_unknowing;
  return few && got.used_percent() >= least_used_percent && (rules.outage_ms == 0 || got.peak_after_outage <= 1.02);
}

}  // namespace

int main(int argc, char** argv) {
  uint64_t seeds = 60;
  uint64_t first = 0;
  bool traced = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "--trace") == 0) {
      traced = true;
    } else if (i + 1 < argc && std::strcmp(argv[i], "--seeds") == 0) {
      seeds = std::strtoull(argv[++i], nullptr, 10);
    } else if (i + 1 < argc && std::strcmp(argv[i], "--first-seed") == 0) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "usage: %s [--seeds N] [--first-seed N] [--trace]\n", argv[0]);
      return 2;
    }
  }
  const auto settings = cohort::claude::load_claude_settings();
  if (!settings) {
    std::fprintf(stderr, "%s\n", settings.error().message.c_str());
    return 2;
  }
  std::vector<uint64_t> failed;
  double least_used = 1000;
  double most_refused = 0;
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    const auto rules = drawn(seed);
    const auto got = traffic{rules, settings->rate_limit, seed, traced}.run();
    const bool fine = held(rules, got);
    if (!fine) failed.push_back(seed);
    least_used = std::min(least_used, got.used_percent());
    most_refused = std::max(most_refused, got.refused_percent());
    std::printf(
        "rates seed %llu: %s, %4.0f requests, %.0e in, %.0e out a minute, latency %5.0f ms, %2.0f min, output counted "
        "%s, headers %s, estimates off %2.0f %%, outage %2.0f s: refused %.2f %%, used %.1f %%%s\n",
        static_cast<unsigned long long>(seed), fine ? "ok" : "FAILED", rules.requests, rules.input, rules.output,
        rules.latency_ms, rules.minutes, rules.counts_output_late ? "late" : "at once",
        rules.stamps_late ? "late" : "early", 100 * rules.error, rules.outage_ms / 1000, got.refused_percent(),
        got.used_percent(), rules.outage_ms == 0 ? "" : (", peak " + std::to_string(got.peak_after_outage)).c_str());
  }
  std::printf("rates: at most 1 %% refused, at least 95 %% used of what the limits allow, no burst after an outage\n");
  std::printf("rates: %s in %llu runs from seed %llu. Most refused %.2f %%, least used %.1f %%.",
              failed.empty() ? "held" : "FAILED", static_cast<unsigned long long>(seeds),
              static_cast<unsigned long long>(first), most_refused, least_used);
  for (const auto seed : failed)
    std::printf(" %s --first-seed %llu --seeds 1 --trace;", argv[0], static_cast<unsigned long long>(seed));
  std::printf("\n");
  return failed.empty() ? 0 : 1;
}
