// Looks for a regular expression in each line of a file that comes with a project. The time is linear in the text,
// whatever the text is (docs/decisions/0029-regular-expressions-by-re2.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace re2 {
class RE2;
}

namespace cohort::inline base {

/// May be used by several threads at once.
class line_pattern {
 public:
  /// `^` and `$` are the line's ends. Fails with `ec::config_invalid` and the reason.
  [[nodiscard]] static expected<line_pattern> compile(const std::string& pattern);

  line_pattern(line_pattern&&) noexcept;
  line_pattern& operator=(line_pattern&&) noexcept;
  ~line_pattern();

  /// True if some line of `text` has a match.
  [[nodiscard]] bool fits(std::string_view text) const;

  /// The text of the first group in the first line with a match; empty if no line matches or there is no group.
  [[nodiscard]] std::string first_group(std::string_view text) const;

 private:
  explicit line_pattern(std::unique_ptr<const re2::RE2> compiled);
  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace cohort::inline base
