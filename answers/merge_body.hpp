// Writes what follows a merged file's imports: the statements of one part. For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "answers/merge_head.hpp"

namespace cohort::answers {

/// A part, with the changes that it needs to go into the file.
struct body_plan {
  const test_part* part = nullptr;
  rename_map renames;
  std::vector<bool> left_out;  ///< For each statement whether it is left out; only statements of the body are.
};

/// Finds where a part uses the names that get new ones. Part and names must outlive this object.
class renamed_uses {
 public:
  renamed_uses(const test_part& part, const rename_map& renames);

  /// True if the statement uses one of them.
  [[nodiscard]] bool any_in(const part_statement& one) const;
  /// The statement's text, with new names wherever the old ones mean the file's definitions.
  [[nodiscard]] std::string text_of(const part_statement& one) const;

 private:
  using changes = std::vector<std::pair<languages::text_range, std::string_view>>;  ///< Ascending.
  [[nodiscard]] changes::const_iterator first_in(const part_statement& one) const;

  const test_part& part_;
  changes changes_;
};

/// All statements that are neither in the head nor left out, in their layout, without the statement that runs the file
/// as a program. Without a line break at the end.
[[nodiscard]] std::string body_of(const body_plan& plan);

/// Indents `text`, which is whole statements; lines that begin inside a string are not changed.
[[nodiscard]] std::string indented(const std::string& text, const languages::language& lang, std::string_view target);

}  // namespace cohort::answers
