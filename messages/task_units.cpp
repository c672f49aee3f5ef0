// Packed as ten hexadecimal digits for each unit, with '+' if the task asks for it and '-' if not.

#include "messages/task_units.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <string_view>

namespace cohort::inline messages {

namespace {

constexpr size_t digits = 10;
constexpr size_t most_units = 2000;

std::string short_name(const std::string& unit) { return to_hex(sha256(unit)).substr(0, digits); }

}  // namespace

std::string pack_units(const std::vector<std::string>& asked, const std::vector<std::string>& present) {
  std::map<std::string, char> marks;
  for (const auto& unit : present) marks.emplace(short_name(unit), '-');
  for (const auto& unit : asked) marks[short_name(unit)] = '+';
  std::string packed;
  if (marks.size() > most_units) return packed;
  for (const auto& [name, mark] : marks) packed.append(name).push_back(mark);
  return packed;
}

std::optional<task_units> units_of(const task_spec& task) {
  const auto trait = task.traits.find(units_trait);
  if (trait == task.traits.end()) return std::nullopt;
  std::string_view packed = trait->second;
  if (packed.empty() || packed.size() % (digits + 1) != 0 || packed.size() > most_units * (digits + 1))
    return std::nullopt;
  task_units units;
  for (; !packed.empty(); packed.remove_prefix(digits + 1)) {
    uint64_t name = 0;
    const auto* end = packed.data() + digits;
    const auto mark = packed[digits];
    const auto [read, failed] = std::from_chars(packed.data(), end, name, 16);
    if (failed != std::errc{} || read != end || (mark != '+' && mark != '-')) return std::nullopt;
    if (!units.present.empty() && name <= units.present.back()) return std::nullopt;
    units.present.push_back(name);
    if (mark == '+') units.asked.push_back(name);
  }
  return units;
}

bool is_within(const std::vector<uint64_t>& part, const std::vector<uint64_t>& whole) noexcept {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

}  // namespace cohort::inline messages
