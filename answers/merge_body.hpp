// What follows a merged file's imports: the statements of one part. For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answers/merge_head.hpp"

namespace cohort::answers {

/// A part and what happens to it on its way into the file.
struct body_plan {
  const test_part* part = nullptr;
  rename_map renames;
  std::vector<bool> left_out;  ///< By statement; of the body's only.
};

/// Where a part uses the names that get new ones. Both must outlive it.
class renamed_uses {
 public:
  renamed_uses(const test_part& part, const rename_map& renames);

  /// True if the statement uses one of them.
  [[nodiscard]] bool any_in(const part_statement& one) const;
  /// The statement's text, with new names where the old ones stand for the file's.
  [[nodiscard]] std::string text_of(const part_statement& one) const;

 private:
  using changes = std::vector<std::pair<languages::text_range, std::string_view>>;  ///< Ascending.
  [[nodiscard]] changes::const_iterator first_in(const part_statement& one) const;

  const test_part& part_;
  changes changes_;
};

/// All statements that are neither the head's nor left out, in their layout, without what runs the file as a program.
/// No line break at its end.
[[nodiscard]] std::string body_of(const body_plan& plan);

/// `text`, which is whole statements, moved to the right; lines that begin inside a string stay where they are.
[[nodiscard]] std::string indented(const std::string& text, const languages::language& lang, std::string_view target);

}  // namespace cohort::answers
