// Whether work is done, whatever it was asked with: which units of which sources have a delivered test. A unit is known
// by its name and by its text without line endings and blank space. So another model, prompt, setting or place in the
// file is no reason to buy a test again, and a source that moved is recognised.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "messages/task.hpp"

namespace cohort::inline messages {

/// The trait of a task that holds its packed work.
inline constexpr const char* work_trait = "work";

/// A unit that a task asks for: the first 40 bits of its name's digest, the first 64 bits of its text's.
struct unit_work {
  uint64_t name = 0;
  uint64_t text = 0;
  friend auto operator<=>(const unit_work&, const unit_work&) = default;
};

/// The unit of this name and text. Indentation counts by its depth alone; other blank space, blank lines and line
/// endings do not count.
[[nodiscard]] unit_work unit_work_of(std::string_view name, std::string_view text);

/// More than 2000 units are not packed: empty.
[[nodiscard]] std::string pack_work(std::vector<unit_work> units);

/// Empty if the task was planned without its work, or if the trait cannot be read.
[[nodiscard]] std::vector<unit_work> work_of(const task_spec& task);

/// What delivered tests are for.
class delivered_work {
 public:
  using path_test = std::function<bool(const std::string& path)>;

  /// A task whose test is delivered. One from before work was noted counts as long as its source is as it was.
  void add(const task_spec& task);

  /// True if a delivered test is for `unit` of the source at `path`: of the same path, or of one that is gone now, from
  /// which the source must have moved. `content` is the whole source's digest.
  [[nodiscard]] bool covers(const std::string& path, const digest& content, const unit_work& unit,
                            const path_test& is_there) const;

  [[nodiscard]] bool empty() const noexcept { return by_source_.empty() && by_content_.empty(); }

 private:
  std::map<std::string, std::set<unit_work>, std::less<>> by_source_;
  std::map<unit_work, std::set<std::string>> sources_of_;
  std::map<std::pair<std::string, digest>, std::set<uint64_t>>
      by_content_;  ///< Names of units, where no text is known.
};

}  // namespace cohort::inline messages
