// Regular expressions that are looked for in each line of a file that comes with a project. Their time is linear in the
// text, whatever stands in it (docs/decisions/0029-regular-expressions-by-re2.md).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace re2 {
class RE2;
}

namespace cohort::inline base {

/// Any thread may look.
class line_pattern {
 public:
  /// `^` and `$` are the line's ends. Fails with `ec::config_invalid` and the reason.
  [[nodiscard]] static expected<line_pattern> compile(const std::string& pattern);

  line_pattern(line_pattern&&) noexcept;
  line_pattern& operator=(line_pattern&&) noexcept;
  ~line_pattern();

  /// True if some line of `text` holds what fits.
  [[nodiscard]] bool fits(std::string_view text) const;

  /// What the first group stands for in the first line that fits; empty if none does, or if there is no group.
  [[nodiscard]] std::string first_group(std::string_view text) const;

 private:
  explicit line_pattern(std::unique_ptr<const re2::RE2> compiled);
  std::unique_ptr<const re2::RE2> compiled_;
};

}  // namespace cohort::inline base
