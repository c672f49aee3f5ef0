// Packs, unpacks and looks up the units that delivered tests are for.

#include "messages/delivered_work.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "messages/task_units.hpp"

namespace cohort::inline messages {

namespace {

constexpr size_t name_digits = 10;
constexpr size_t text_digits = 16;
constexpr size_t packed_size = name_digits + text_digits;
constexpr size_t most_packed = 2000;
constexpr size_t tab_width = 8;

uint64_t first_bits(std::string_view data, size_t digits) {
  uint64_t value = 0;
  const auto hex = to_hex(sha256(data)).substr(0, digits);
  std::from_chars(hex.data(), hex.data() + hex.size(), value, 16);
  return value;
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v'; }

/// How deep a line is indented, as the number of narrower lines that it stands below.
class indentation {
 public:
  size_t depth_of(std::string_view line) {
    size_t width = 0;
    for (const char c : line) {
      if (!is_blank(c)) break;
      width += c == '\t' ? tab_width - width % tab_width : 1;
    }
    while (!widths_.empty() && widths_.back() > width) widths_.pop_back();
    if (widths_.empty() || widths_.back() < width) widths_.push_back(width);
    return widths_.size();
  }

 private:
  std::vector<size_t> widths_;
};

std::string without_blanks(std::string_view text) {
  std::string kept;
  kept.reserve(text.size());
  indentation levels;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (std::all_of(line.begin(), line.end(), is_blank)) continue;
    kept += fmt::format("\n{} ", levels.depth_of(line));
    std::copy_if(line.begin(), line.end(), std::back_inserter(kept), [](char c) { return !is_blank(c); });
  }
  return kept;
}

}  // namespace

unit_work unit_work_of(std::string_view name, std::string_view text) {
  return {first_bits(name, name_digits), first_bits(without_blanks(text), text_digits)};
}

std::string pack_work(std::vector<unit_work> units) {
  std::string packed;
  if (units.size() > most_packed) return packed;
  std::sort(units.begin(), units.end());
  for (const auto& unit : units)
    packed += fmt::format("{:0{}x}{:0{}x}", unit.name, name_digits, unit.text, text_digits);
  return packed;
}

std::vector<unit_work> work_of(const task_spec& task) {
  const auto trait = task.traits.find(work_trait);
  if (trait == task.traits.end()) return {};
  std::string_view packed = trait->second;
  if (packed.size() % packed_size != 0 || packed.size() > most_packed * packed_size) return {};
  std::vector<unit_work> units;
  const auto number = [&packed](size_t digits, uint64_t& value) {
    const auto* end = packed.data() + digits;
    const auto [read, failed] = std::from_chars(packed.data(), end, value, 16);
    packed.remove_prefix(digits);
    return failed == std::errc{} && read == end;
  };
  while (!packed.empty()) {
    unit_work unit;
    if (!number(name_digits, unit.name) || !number(text_digits, unit.text)) return {};
    units.push_back(unit);
  }
  return units;
}

void delivered_work::add(const task_spec& task) {
  const auto work = work_of(task);
  for (const auto& unit : work) {
    by_source_[task.source].insert(unit);
    sources_of_[unit].insert(task.source);
  }
  if (!work.empty()) return;
  if (const auto units = units_of(task))
    by_content_[{task.source, task.source_digest}].insert(units->asked.begin(), units->asked.end());
}

bool delivered_work::covers(const std::string& path, const digest& content, const unit_work& unit,
                            const path_test& is_there) const {
  const auto known = by_source_.find(path);
  if (known != by_source_.end() && known->second.contains(unit)) return true;
  const auto as_it_was = by_content_.find({path, content});
  if (as_it_was != by_content_.end() && as_it_was->second.contains(unit.name)) return true;
  const auto elsewhere = sources_of_.find(unit);
  return elsewhere != sources_of_.end() &&
         std::any_of(elsewhere->second.begin(), elsewhere->second.end(),
                     [&](const std::string& other) { return other != path && !is_there(other); });
}

}  // namespace cohort::inline messages
