// Decides what a request reads and writes: the longest stored prefix is read; what follows it up to the last breakpoint
// is written at that breakpoint's rate.

#include "simulator/api/prompt_cache.hpp"

namespace cohort::simulator {

namespace {

constexpr size_t sweep_above = 10'000;

steady_clock::duration lifetime(cache_ttl ttl) noexcept {
  return ttl == cache_ttl::one_hour ? steady_clock::duration{std::chrono::hours{1}}
                                    : steady_clock::duration{std::chrono::minutes{5}};
}

}  // namespace

bool prompt_cache::readable(uint64_t prefix_hash, steady_time now) const {
  const auto found = entries_.find(prefix_hash);
  return found != entries_.end() && found->second.readable <= now && found->second.expires > now;
}

counted_tokens prompt_cache::count(std::span<const cache_breakpoint> breakpoints, uint64_t prompt_tokens,
                                   uint64_t minimum_tokens, steady_time now) const {
  counted_tokens counted;
  size_t next = 0;
  for (size_t i = 0; i < breakpoints.size(); ++i) {
    if (!readable(breakpoints[i].prefix_hash, now)) continue;
    counted.read = breakpoints[i].prefix_tokens;
    next = i + 1;
  }
  uint64_t covered = counted.read;
  for (; next < breakpoints.size(); ++next) {
    const auto& mark = breakpoints[next];
    if (mark.prefix_tokens < minimum_tokens || mark.prefix_tokens <= covered) continue;
    (mark.ttl == cache_ttl::one_hour ? counted.write_1h : counted.write_5m) += mark.prefix_tokens - covered;
    covered = mark.prefix_tokens;
  }
  counted.input = prompt_tokens - covered;
  return counted;
}

void prompt_cache::store(std::span<const cache_breakpoint> breakpoints, uint64_t minimum_tokens, steady_time now,
                         steady_time begins) {
  for (const auto& mark : breakpoints) {
    if (readable(mark.prefix_hash, now)) {
      auto& stored = entries_.at(mark.prefix_hash);
      stored.expires = now + lifetime(stored.ttl);
      continue;
    }
    if (mark.prefix_tokens < minimum_tokens) continue;
    const entry written{begins, begins + lifetime(mark.ttl), mark.ttl};
    const auto [stored, fresh] = entries_.try_emplace(mark.prefix_hash, written);
    // Several requests may write a prefix before the first answer begins: the earliest one counts.
    if (!fresh && (stored->second.expires <= now || begins < stored->second.readable)) stored->second = written;
  }
  if (entries_.size() > sweep_above)
    std::erase_if(entries_, [now](const auto& stored) { return stored.second.expires <= now; });
}

}  // namespace cohort::simulator
