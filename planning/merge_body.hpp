// What follows a merged file's imports: the statements of one part. For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planning/merge_head.hpp"

namespace cohort {

/// A part and what happens to it on its way into the file.
struct body_plan {
  const test_part* part = nullptr;
  rename_map renames;
  std::vector<bool> left_out;  ///< By statement; of the body's only.
};

/// The statement's text, with new names where the old ones stand for the file's.
[[nodiscard]] std::string renamed_text(const test_part& part, const part_statement& one, const rename_map& renames);

/// True if the statement uses one of the names that get new ones.
[[nodiscard]] bool uses_any(const test_part& part, const part_statement& one, const rename_map& renames);

/// All statements that are neither the head's nor left out, in their layout, without what runs the file as a program.
/// No line break at its end.
[[nodiscard]] std::string body_of(const body_plan& plan);

/// `text`, which is whole statements, moved to the right; lines that begin inside a string stay where they are.
[[nodiscard]] std::string indented(const std::string& text, const language& lang, std::string_view target);

}  // namespace cohort
