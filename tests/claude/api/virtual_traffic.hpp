// Traffic against a provider with continuously refilled buckets, in virtual time: the rate limiter is a plain class, so
// that minutes of it take milliseconds. For the tests of the limiter, and for the campaign `rates`.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <queue>
#include <random>
#include <vector>

#include "claude/api/rate_limiter.hpp"

namespace cohort::claude::virtual_traffic {

inline constexpr double minute = 60'000;  ///< In milliseconds.

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

inline constexpr double typical_input = 2000;  ///< Tokens of a request, as the limiter is told to expect.
inline constexpr double typical_output = 800;

/// Requests a minute that the limits let through.
[[nodiscard]] inline double tightest(const setting& rules) {
  return std::min({rules.requests, rules.input / typical_input, rules.output / typical_output});
}

/// Five times as much as that, by requests at once.
[[nodiscard]] inline uint32_t five_times_the_limit(const setting& rules) {
  const double at_the_limit = tightest(rules) * std::max(1.0, rules.latency_ms * std::exp(0.18) / minute);
  return static_cast<uint32_t>(std::max(64.0, 5 * at_the_limit));
}

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

/// Endless demand.
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

  void sum_up() {
    // What the limits let through: full buckets at the start, then the rate. The time of an outage is not counted: what
    // fills up in the buckets meanwhile would make a burst, which is not wanted.
    result_.allowed = tightest(rules_) * (rules_.minutes + 1 - rules_.outage_ms / minute);
    const double end = rules_.outage_from_ms + rules_.outage_ms;
    if (rules_.outage_ms == 0) return;
    for (size_t first = 0, last = 0; last < accepted_at_.size(); ++last) {
      if (accepted_at_[last] < end) continue;
      while (accepted_at_[first] < std::max(end, accepted_at_[last] - minute)) ++first;
      const double window = std::max(1.0, accepted_at_[last] - std::max(end, accepted_at_[last] - minute));
      const double allowed = tightest(rules_) * (1 + window / minute);
      result_.peak_after_outage = std::max(result_.peak_after_outage, static_cast<double>(last - first + 1) / allowed);
    }
  }

  void trace(double now) {
    if (!traced_ || now < next_trace_) return;
    next_trace_ = now + 5000;
    std::printf("  %6.0f s: accepted %llu (%.1f %% of %.0f), refused %llu, in flight %u of %u\n", now / 1000,
                static_cast<unsigned long long>(result_.accepted),
                100 * static_cast<double>(result_.accepted) / (tightest(rules_) * (now / minute + 1)),
                tightest(rules_) * (now / minute + 1), static_cast<unsigned long long>(result_.refused),
                limiter_.in_flight(), limiter_.most_in_flight());
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

}  // namespace cohort::claude::virtual_traffic
