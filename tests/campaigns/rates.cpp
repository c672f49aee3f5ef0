// Campaign: does the rate limiter use what a provider allows, with hardly a refusal? In virtual time: the limiter is a
// plain class, so that minutes of traffic take milliseconds. The provider here is written for this campaign alone.

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <queue>
#include <random>
#include <string>
#include <vector>

#include "claude/rate_limiter.hpp"

namespace {

using namespace cohort;

constexpr double minute = 60'000;
constexpr double most_refused_percent = 1.0;
constexpr uint64_t refused_unknowing = 5;  ///< Of any number: at the beginning nothing is known of the limits.
constexpr double least_used_percent = 95.0;

/// What one run is about.
struct setting {
  double requests, input, output;  ///< A minute.
  double latency_ms;               ///< Median.
  double minutes;
  double outage_from_ms, outage_ms;  ///< 529 for everything.
  bool counts_output_late;           ///< Output is counted when it is generated, as the API does; else on arrival.
  bool stamps_late;                  ///< Headers are written when the answer begins.
  double error;                      ///< How far estimates are off, at most.
  uint32_t demand;                   ///< Workers: requests that wait or are under way at once.
};

/// Continuously refilled buckets. A full one grants any amount and goes into debt.
class provider {
 public:
  explicit provider(const setting& rules)
      : limits_{rules.requests, rules.input, rules.output}, levels_{limits_[0], limits_[1], limits_[2]} {}

  void advance(double now_ms) {
    for (int i = 0; i < 3; ++i) levels_[i] = std::min(limits_[i], levels_[i] + limits_[i] * (now_ms - last_) / minute);
    last_ = now_ms;
  }
  [[nodiscard]] bool admits(double input, double output) const {
    return levels_[0] >= 1 && levels_[1] >= std::min(input, limits_[1]) && levels_[2] >= std::min(output, limits_[2]);
  }
  void take(double requests, double input, double output) {
    levels_[0] -= requests;
    levels_[1] -= input;
    levels_[2] -= output;
  }
  [[nodiscard]] rate_limit_headers headers() const {
    const auto window = [this](int i) {
      return rate_limit_window{
          true, static_cast<uint64_t>(limits_[i]), static_cast<uint64_t>(std::max(0.0, levels_[i])), {}};
    };
    return {window(0), {}, window(1), window(2)};
  }

 private:
  double limits_[3];
  double levels_[3];
  double last_ = 0;
};

enum class happening : uint8_t { asked, arrived, answered, came_back };

struct incident {
  double at_ms;
  happening what;
  size_t who;
  bool operator>(const incident& other) const { return at_ms > other.at_ms; }
};

struct voyage {
  admission_ticket ticket;
  limiter_outcome outcome;
};

struct result {
  uint64_t accepted = 0, refused = 0, overloaded = 0;
  double allowed = 0;
  double peak_after_outage = 0;  ///< Accepted in the busiest window after an outage, over what it allows.
  [[nodiscard]] double refused_percent() const {
    return 100.0 * static_cast<double>(refused) / static_cast<double>(std::max<uint64_t>(1, accepted + refused));
  }
  [[nodiscard]] double used_percent() const { return 100.0 * static_cast<double>(accepted) / allowed; }
};

constexpr double typical_input = 2000;
constexpr double typical_output = 800;

class traffic {
 public:
  traffic(const setting& rules, const rate_settings& limits, uint64_t seed, bool traced)
      : rules_(rules), server_(rules), limiter_(limits), random_(seed), traced_(traced) {}

  result run() {
    agenda_.push({0, happening::asked, 0});
    while (!agenda_.empty() && agenda_.top().at_ms < rules_.minutes * minute) {
      const auto now = agenda_.top();
      agenda_.pop();
      trace(now.at_ms);
      server_.advance(now.at_ms);
      switch (now.what) {
        case happening::asked:
          if (now.at_ms >= next_ask_) ask(now.at_ms);
          break;
        case happening::arrived: arrive(now.at_ms, now.who); break;
        case happening::answered: answer(now.at_ms, now.who); break;
        case happening::came_back: come_back(now.at_ms, now.who); break;
      }
    }
    sum_up();
    return result_;
  }

 private:
  [[nodiscard]] static steady_time time(double ms) {
    return steady_time{std::chrono::hours{1}} +
           std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double, std::milli>(ms));
  }
  double unit() { return std::uniform_real_distribution<>{0, 1}(random_); }
  double latency() { return std::lognormal_distribution<>{std::log(rules_.latency_ms), 0.6}(random_); }

  void ask(double now) {
    constexpr token_demand expected{static_cast<uint64_t>(typical_input), static_cast<uint64_t>(typical_output)};
    while (under_way_ < rules_.demand) {
      const auto granted = limiter_.admit(time(now), expected);
      if (!granted.granted) {
        next_ask_ = now + static_cast<double>(std::min<int64_t>(granted.wait.count(), 1000));
        agenda_.push({next_ask_, happening::asked, 0});
        return;
      }
      ++under_way_;
      voyages_.push_back({granted.ticket, {}});
      agenda_.push({now + 1 + 4 * unit(), happening::arrived, voyages_.size() - 1});
    }
    next_ask_ = now;
  }

  void arrive(double now, size_t who) {
    auto& v = voyages_[who];
    const auto off = [this] { return 1 + rules_.error * (2 * unit() - 1); };
    v.outcome.used = {static_cast<uint64_t>(typical_input * off()), static_cast<uint64_t>(typical_output * off())};
    const auto input = static_cast<double>(v.outcome.used.input_tokens);
    const auto output = static_cast<double>(v.outcome.used.output_tokens);
    if (now >= rules_.outage_from_ms && now < rules_.outage_from_ms + rules_.outage_ms) {
      ++result_.overloaded;
      v.outcome.how = limiter_outcome::kind::overloaded;
      agenda_.push({now + 2, happening::came_back, who});
      return;
    }
    if (!server_.admits(input, rules_.counts_output_late ? 1 : output)) {
      ++result_.refused;
      v.outcome.how = limiter_outcome::kind::rate_limited;
      v.outcome.retry_after = milliseconds{1000};
      v.outcome.limits = server_.headers();
      agenda_.push({now + 2, happening::came_back, who});
      return;
    }
    ++result_.accepted;
    accepted_at_.push_back(now);
    v.outcome.how = limiter_outcome::kind::answered;
    server_.take(1, input, rules_.counts_output_late ? 0 : output);
    v.outcome.limits = server_.headers();
    agenda_.push({now + latency(), happening::answered, who});
  }

  void answer(double now, size_t who) {
    auto& v = voyages_[who];
    if (rules_.counts_output_late) server_.take(0, 0, static_cast<double>(v.outcome.used.output_tokens));
    if (rules_.stamps_late) v.outcome.limits = server_.headers();
    agenda_.push({now + 1, happening::came_back, who});
  }

  void come_back(double now, size_t who) {
    --under_way_;
    limiter_.finished(time(now), voyages_[who].ticket, voyages_[who].outcome, unit());
    ask(now);
  }

  [[nodiscard]] double tightest() const {
    return std::min({rules_.requests, rules_.input / typical_input, rules_.output / typical_output});
  }

  void sum_up() {
    // What the limits let through: full buckets at the start, then the rate. The time of an outage is not counted: what
    // fills up in the buckets meanwhile would make a burst, which is not wanted.
    result_.allowed = tightest() * (rules_.minutes + 1 - rules_.outage_ms / minute);
    const double end = rules_.outage_from_ms + rules_.outage_ms;
    if (rules_.outage_ms == 0) return;
    for (size_t first = 0, last = 0; last < accepted_at_.size(); ++last) {
      if (accepted_at_[last] < end) continue;
      while (accepted_at_[first] < std::max(end, accepted_at_[last] - minute)) ++first;
      const double window = std::max(1.0, accepted_at_[last] - std::max(end, accepted_at_[last] - minute));
      const double allowed = tightest() * (1 + window / minute);
      result_.peak_after_outage = std::max(result_.peak_after_outage, static_cast<double>(last - first + 1) / allowed);
    }
  }

  void trace(double now) {
    if (!traced_ || now < next_trace_) return;
    next_trace_ = now + 5000;
    std::printf("  %6.0f s: accepted %llu (%.1f %% of %.0f), refused %llu, in flight %u of %u\n", now / 1000,
                static_cast<unsigned long long>(result_.accepted),
                100 * static_cast<double>(result_.accepted) / (tightest() * (now / minute + 1)),
                tightest() * (now / minute + 1), static_cast<unsigned long long>(result_.refused), limiter_.in_flight(),
                limiter_.most_in_flight());
  }

  setting rules_;
  provider server_;
  rate_limiter limiter_;
  std::mt19937_64 random_;
  std::priority_queue<incident, std::vector<incident>, std::greater<>> agenda_;
  std::vector<voyage> voyages_;
  std::vector<double> accepted_at_;
  uint32_t under_way_ = 0;
  double next_ask_ = 0;
  double next_trace_ = 0;
  bool traced_;
  result result_;
};

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
  // Five times as much as the limit lets through, by requests at once.
  const double tightest = std::min({rules.requests, rules.input / typical_input, rules.output / typical_output});
  const double at_the_limit = tightest * std::max(1.0, rules.latency_ms * std::exp(0.18) / minute);
  rules.demand = static_cast<uint32_t>(std::max(64.0, 5 * at_the_limit));
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
  const auto settings = cohort::load_claude_settings();
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
