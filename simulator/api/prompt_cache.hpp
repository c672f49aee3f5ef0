// Simulates the provider's prompt cache: which prefixes are stored, until when, and what a request reads and writes.
// Invariant: a prefix can be read only after the first answer that wrote it has begun.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "simulator/api/price_list.hpp"

namespace cohort::simulator {

enum class cache_ttl : uint8_t { five_minutes, one_hour };

/// A point of the prompt that is marked with `cache_control`.
struct cache_breakpoint {
  uint64_t prefix_hash = 0;    ///< Over model and everything up to here.
  uint64_t prefix_tokens = 0;  ///< Up to here.
  cache_ttl ttl = cache_ttl::five_minutes;
};

class prompt_cache {
 public:
  /// Splits a prompt of `prompt_tokens` into its uncached, written and read parts. Changes nothing.
  [[nodiscard]] counted_tokens count(std::span<const cache_breakpoint> breakpoints, uint64_t prompt_tokens,
                                     uint64_t minimum_tokens, steady_time now) const;

  /// Refreshes what is read and stores what is written: readable from `begins` on, when the answer begins.
  void store(std::span<const cache_breakpoint> breakpoints, uint64_t minimum_tokens, steady_time now,
             steady_time begins);

 private:
  struct entry {
    steady_time readable;
    steady_time expires;
    cache_ttl ttl;
  };
  [[nodiscard]] bool readable(uint64_t prefix_hash, steady_time now) const;

  std::unordered_map<uint64_t, entry> entries_;
};

}  // namespace cohort::simulator
