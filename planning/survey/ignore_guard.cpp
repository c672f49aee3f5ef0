// Counts stars in patterns: git's matcher tries, for each `*`, all positions in a component of the path, and for each
// `**` all positions in the path.

#include "planning/survey/ignore_guard.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr uint64_t largest_ignore_file = 1U << 20U;
constexpr uint64_t most_steps_for_a_path = 100'000'000;  ///< Some tenths of a second, at worst.
constexpr uint64_t most_ignore_steps = 4'000'000'000;    ///< For a project.

/// The largest number of `*` in one component of the pattern, and the number of `**` in the whole pattern.
std::pair<uint32_t, uint32_t> stars_in(std::string_view pattern) noexcept {
  uint32_t most = 0;
  uint32_t here = 0;
  uint32_t doubled = 0;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '/') here = 0;
    if (pattern[at] != '*') continue;
    const auto end = std::min(pattern.find_first_not_of('*', at), pattern.size());
    if (end - at > 1) ++doubled;
    most = std::max(most, ++here);
    at = end - 1;
  }
  return {most, doubled};
}

/// The number of ways to put `stars` into `places`, at most a bound.
uint64_t ways(uint64_t places, uint32_t stars) noexcept {
  uint64_t count = 1;
  for (uint32_t i = 1; i <= stars && count < most_ignore_steps; ++i) count = std::max<uint64_t>(count * places / i, 1);
  return std::min(count, most_ignore_steps);
}

size_t longest_part(std::string_view path) noexcept {
  size_t longest = 0;
  for (size_t begin = 0; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    longest = std::max(longest, end - begin);
    begin = end + 1;
  }
  return longest;
}

}  // namespace

ignore_guard::ignore_guard(std::filesystem::path root, std::filesystem::path repository)
    : root_(std::move(root)), repository_(std::move(repository)), steps_left_(most_ignore_steps) {}

bool ignore_guard::allows(std::string_view path) {
  const auto force = in_force(languages::folder_of(path));
  if (!force->usable) return false;
  const auto part = longest_part(path);
  uint64_t steps = 0;
  for (const auto& [stars, weight] : force->weights) {
    const auto [single, doubled] = stars;
    const auto each = ways(part, single);
    const auto repeated = ways(path.size(), doubled);
    steps +=
        each > most_ignore_steps / repeated ? most_ignore_steps : std::min(most_ignore_steps, each * repeated * weight);
    if (steps > most_steps_for_a_path) break;
  }
  const bool affordable = steps <= most_steps_for_a_path && steps <= steps_left_;
  if (affordable)
    steps_left_ -= steps;
  else
    problems_.emplace(force->costly, "its patterns take too long to match; files that git does not track are left out");
  return affordable;
}

ignore_guard::shared_rules ignore_guard::in_force(std::string_view folder) {
  const std::string key{folder};
  if (const auto known = by_folder_.find(key); known != by_folder_.end()) return known->second;
  auto above = folder.empty()
                   ? with(repository_ / "info" / "exclude", ".git/info/exclude", std::make_shared<const rules>())
                   : in_force(languages::folder_of(folder));
  const auto name = languages::joined_path(folder, ".gitignore");
  return by_folder_.emplace(key, with(root_ / name, name, std::move(above))).first->second;
}

ignore_guard::shared_rules ignore_guard::with(const std::filesystem::path& file, const std::string& shown,
                                              shared_rules above) {
  const auto text = read_file(file, largest_ignore_file);
  if (!above->usable || (!text && text.error().code == ec::not_found)) return above;
  auto made = std::make_shared<rules>(*above);
  if (!text) {
    made->usable = false;
    problems_.emplace(shown, fmt::format("{}; files that git does not track are left out", text.error().message));
    return made;
  }
  for (std::string_view rest = *text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    const auto stars = stars_in(line);
    made->weights[stars] += 1 + line.size() / 64;
    if (made->costly.empty() || stars > made->most) {
      made->costly = shown;
      made->most = stars;
    }
  }
  return made;
}

}  // namespace cohort::planning
