// Adds up tenths of a point. Each trait has a ceiling, so that no single one makes a file complex by itself.

#include "languages/syntax/complexity.hpp"

#include <algorithm>

namespace cohort::languages {

uint32_t complexity_of(const complexity_facts& facts) noexcept {
  const auto part = [](uint64_t value, uint64_t ceiling) { return std::min(value, ceiling); };
  const uint64_t tenths = 10 + part(uint64_t{facts.branches} * 4, 40)  // decisions: up to 4 points
                          + part(facts.nesting > 1 ? uint64_t{facts.nesting - 1} * 5 : 0, 20)  // nesting: up to 2
                          + part(facts.lines / 6, 15)                                          // size: up to 1.5
                          + part(uint64_t{facts.callables} * 2, 10)                            // callables: up to 1
                          + part(facts.imports, 5);                                            // imports: up to 0.5
  return static_cast<uint32_t>(std::clamp<uint64_t>((tenths + 5) / 10, 1, 10));
}

}  // namespace cohort::languages
