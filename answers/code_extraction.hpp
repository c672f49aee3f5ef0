// Finds the test file in an answer: takes it out of fences and prose, and checks it with the parser. Answers are
// hostile until proven otherwise: time and memory stay proportional to the answer's length.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/parser.hpp"

namespace cohort::answers {

constexpr size_t largest_answer = size_t{1} << 20U;  ///< In bytes; no model says that much in one answer.

/// A line that opens or closes a fenced block.
struct fence_line {
  size_t begin = 0;  ///< Of the line, in bytes.
  size_t next = 0;   ///< Beginning of the next line.
  size_t indentation = 0;
  char mark = '`';
  size_t length = 0;     ///< How many marks.
  std::string_view tag;  ///< First word after the marks; a fence with a tag cannot close a block.
  bool bare = false;     ///< Nothing follows the marks.
};

/// All fence lines of a text, in order.
[[nodiscard]] std::vector<fence_line> find_fences(std::string_view text);

/// The test file in `answer`, with plain line ends and one line break at its end. Tried in this order: blocks tagged
/// with the language, untagged blocks, other blocks, text without fences. A block counts if it parses and holds a test
/// (`syntax_report::holds_test`). If a fence inside a string ends a block too early, later fences are tried. Of several
/// versions of one file the last one counts; pieces of one file are merged. Fails with `ec::empty_answer` (nothing but
/// white space), `ec::no_code` (no test in it), `ec::broken_code` (tests, but the parser finds an error; the message
/// says where) or `ec::answer_too_costly` (longer than `largest_answer`, or code that breaks a bound of the parser; the
/// message says which).
[[nodiscard]] expected<std::string> extract_code(std::string_view answer, const languages::language& lang,
                                                 const languages::prompt_language& conventions,
                                                 std::string_view target);

}  // namespace cohort::answers
