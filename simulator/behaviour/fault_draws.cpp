// Draws faults from a splitmix64 stream for each (seed, content, attempt), in fixed order, and from another one for
// each (seed, content).

#include "simulator/behaviour/fault_draws.hpp"

#include <cmath>
#include <numbers>

namespace cohort::simulator {

namespace {

class stream {
 public:
  explicit stream(uint64_t seed) noexcept : state_(seed) {}
  uint64_t next() noexcept {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  /// In [0, 1).
  double unit() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

/// The index of the share that `at` falls into; N for the rest.
template <size_t N>
size_t pick(const std::array<double, N>& shares, double at) noexcept {
  double sum = 0;
  for (size_t i = 0; i < N; ++i)
    if (at < (sum += shares[i])) return i;
  return N;
}

double log_normal(const latency_model& model, double first, double second) noexcept {
  const double normal = std::sqrt(-2.0 * std::log(1.0 - first)) * std::cos(2.0 * std::numbers::pi * second);
  return model.median_ms * std::exp(model.sigma * normal);
}

}  // namespace

drawn_faults draw_faults(const scenario& rules, uint64_t content, uint64_t attempt) noexcept {
  stream random{stream{rules.seed ^ stream{content}.next()}.next() + attempt};
  drawn_faults drawn;
  drawn.happens = static_cast<fault>(pick(in_order(rules.faults), random.unit()));
  drawn.form = static_cast<answer_form>(pick(in_order(rules.answers), random.unit()));
  drawn.thinking = random.unit() < rules.answers.thinking;
  const double first = random.unit();
  const double second = random.unit();
  constexpr uint64_t apart = 0x6C696573;  // Separates these draws from the others, which must not change with them.
  drawn.malformed = rules.malformed.body != malformed_body::none &&
                    stream{rules.seed ^ stream{content ^ apart}.next()}.unit() < rules.malformed.share;
  double ms = rules.latency.fixed_ms;
  if (rules.latency.median_ms > 0) ms += log_normal(rules.latency, first, second);
  drawn.latency = std::chrono::microseconds{static_cast<int64_t>(std::min(ms, 3.6e6) * 1000)};
  return drawn;
}

}  // namespace cohort::simulator
