// Describes one of the answers that become one test file: its statements, and which names it takes from the file and
// gives to it. For .cpp files only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "answers/merge_imports.hpp"
#include "languages/conventions/prompt_texts.hpp"
#include "languages/grammars/language.hpp"
#include "languages/grammars/locals.hpp"
#include "languages/syntax/syntax_tree.hpp"

namespace cohort::answers {

/// What a statement at the top level does.
enum class statement_kind : uint8_t {
  heading,     ///< Has its meaning only at the beginning of a file: a docstring, "use strict", a package clause.
  comment,     ///< Belongs to what follows.
  import,      ///< See `imports`.
  setup,       ///< The same in all parts.
  definition,  ///< Gives `names` to the file.
  test,        ///< Declares tests.
  hook,        ///< Acts on all tests of the file.
  main,        ///< Runs the file as a program.
  effect       ///< Anything else: does something when the file is loaded.
};

struct part_statement {
  statement_kind kind = statement_kind::effect;
  languages::text_range at;
  std::string_view gap;                 ///< The text between this statement and the previous one.
  std::vector<std::string_view> names;  ///< Of a definition; without the methods that it gives to a type.
  std::vector<import_statement> imports;
  std::string_view receiver;   ///< For a method that is defined outside of its type: "(s *stub)".
  bool shareable = false;      ///< A definition that can serve several parts: it holds no state.
  bool function_wide = false;  ///< A definition whose scope is the whole function: `var`.
  bool awaits = false;         ///< A definition that waits for a promise.
};

/// Holds views into `text`, which therefore must not move.
struct test_part {
  test_part(const languages::language& lang, const languages::prompt_language& conventions, std::string_view target,
            std::string whole);
  test_part(const test_part&) = delete;
  test_part& operator=(const test_part&) = delete;

  [[nodiscard]] std::string_view text_of(const part_statement& one) const noexcept {
    return std::string_view{text}.substr(one.at.begin, one.at.end - one.at.begin);
  }
  [[nodiscard]] bool has(statement_kind kind) const noexcept;

  std::string text;
  languages::syntax_tree tree;  ///< Null if the text breaks a bound of the parser.
  std::vector<part_statement> statements;
  languages::file_names names;
  std::set<std::string_view> defined;   ///< By its definitions at the top level.
  std::set<std::string_view> imported;  ///< Names that its imports bind; views into `statements`.
  /// Why the part must have a file of its own: it acts on all tests of its file, or its names cannot be kept apart from
  /// those of other parts. Empty if it can share a file.
  std::string not_mergeable;
};

}  // namespace cohort::answers
