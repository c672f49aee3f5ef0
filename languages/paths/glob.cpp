// Matches globs. Backtracks to the last star only, one of each kind, so that no pattern is exponential. The rest, a
// power of the lengths, has a bound.

#include "languages/paths/glob.hpp"

#include <algorithm>

namespace cohort::languages {

namespace {

/// Matches one `[...]` at `at`; moves `at` past it. An unclosed bracket is a plain character.
bool class_match(std::string_view pattern, size_t& at, char c, uint64_t& steps) noexcept {
  const auto close = pattern.find(']', at + 2);
  steps -= std::min<uint64_t>(steps, std::min(close, pattern.size()) - at);
  if (close == std::string_view::npos) return pattern[at++] == c;
  auto set = pattern.substr(at + 1, close - at - 1);
  at = close + 1;
  const bool negated = set.front() == '!' || set.front() == '^';
  if (negated) set.remove_prefix(1);
  bool inside = false;
  for (size_t i = 0; i < set.size(); ++i) {
    if (i + 2 < set.size() && set[i + 1] == '-') {
      inside = inside || (set[i] <= c && c <= set[i + 2]);
      i += 2;
    } else {
      inside = inside || set[i] == c;
    }
  }
  return inside != negated && c != '/';
}

constexpr uint64_t most_steps = 1'000'000;  ///< Some milliseconds. Patterns that people write take hundreds of steps.

struct resume_point {
  size_t pattern = std::string_view::npos;
  size_t path = 0;
};

}  // namespace

bool glob_match(std::string_view pattern, std::string_view path) noexcept {
  auto steps = most_steps;
  return glob_match(pattern, path, steps);
}

bool glob_match(std::string_view pattern, std::string_view path, uint64_t& steps) noexcept {
  size_t p = 0;
  size_t s = 0;
  resume_point star;
  resume_point stars;
  while (s < path.size() || p < pattern.size()) {
    if (steps == 0) return false;
    --steps;
    if (p < pattern.size() && pattern[p] == '*') {
      if (pattern.substr(p, 2) == "**") {
        p += 2;
        if (p < pattern.size() && pattern[p] == '/') ++p;  // "**/x" matches "x", too.
        stars = {p, s};
        star = {};
      } else {
        star = {++p, s};
      }
      continue;
    }
    if (p < pattern.size() && s < path.size()) {
      auto next = p;
      const bool fits = pattern[p] == '['
                            ? class_match(pattern, next, path[s], steps)
                            : (next = p + 1, pattern[p] == path[s] || (pattern[p] == '?' && path[s] != '/'));
      if (fits) {
        p = next;
        ++s;
        continue;
      }
    }
    if (star.pattern != std::string_view::npos && star.path < path.size() && path[star.path] != '/') {
      p = star.pattern;
      s = ++star.path;
    } else if (stars.pattern != std::string_view::npos && stars.path < path.size()) {
      // "**/" stands for whole components: continue after the next separator; at a bare "**" byte by byte.
      p = stars.pattern;
      const bool whole_parts = p > 0 && pattern[p - 1] == '/';
      const auto slash = path.find('/', stars.path);
      steps -= std::min<uint64_t>(steps, (std::min(slash, path.size()) - stars.path) / 16);
      if (whole_parts && slash == std::string_view::npos) return false;
      stars.path = whole_parts ? slash + 1 : stars.path + 1;
      s = stars.path;
      star = {};
    } else {
      return false;
    }
  }
  return true;
}

bool path_filter_match(std::string_view pattern, std::string_view path) noexcept {
  while (pattern.starts_with("./")) pattern.remove_prefix(2);
  if (pattern.ends_with('/')) pattern.remove_suffix(1);
  if (pattern.empty()) return false;
  auto steps = most_steps;
  if (pattern.find('/') == std::string_view::npos) {
    for (size_t begin = 0; begin <= path.size();) {
      const auto slash = path.find('/', begin);
      const auto end = slash == std::string_view::npos ? path.size() : slash;
      if (glob_match(pattern, path.substr(begin, end - begin), steps)) return true;
      begin = end + 1;
    }
    return false;
  }
  if (pattern.front() == '/') pattern.remove_prefix(1);
  for (auto end = path.size(); end != std::string_view::npos && end > 0; end = path.rfind('/', end - 1)) {
    if (glob_match(pattern, path.substr(0, end), steps)) return true;
    if (end == 0) break;
  }
  return false;
}

}  // namespace cohort::languages
