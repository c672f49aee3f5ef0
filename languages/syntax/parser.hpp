// Text -> symbols, imports, branches, complexity, by tree-sitter and a language's rules.
// All functions are safe to call from many threads at once; each thread keeps its own parsers.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "languages/grammars/language.hpp"
#include "languages/syntax/source.hpp"

namespace cohort::languages {

/// A name that an import binds under another: `import { add as plus }`, `import Cart from` ("default" -> "Cart"),
/// `import * as shop` ("*" -> "shop").
struct import_alias {
  uint32_t import = 0;  ///< Index in `source_file::imports`.
  std::string name;     ///< As the imported module calls it; "default" for its default export, "*" for all of it.
  std::string local;    ///< As this file calls it.
};

/// Everything that planning takes from one file.
struct parsed_file {
  source_file file;
  std::vector<import_alias> aliases;
  /// Under which names (`local`) a re-export hands on what it imports; "*" is the module as an object. A re-export
  /// without an entry hands on all names as they are.
  std::vector<import_alias> reexports;  ///< In the order of the imports.
  /// `name_hash` of all identifiers outside imports, sorted, without duplicates. Only of test files.
  std::vector<uint64_t> mentions;
};

/// Hash of an identifier; stable over runs and machines.
[[nodiscard]] uint64_t name_hash(std::string_view name) noexcept;

/// Parses one file. `imports[].resolved` stays empty: that needs the project (modules.hpp).
/// Syntax errors are no failure (`has_errors`); `ec::unparsable` only if the text is too tangled for the parser.
/// `content` is the text's SHA-256, for callers that have it already.
[[nodiscard]] expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text,
                                               const digest& content);
[[nodiscard]] expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text);

/// `parse_file` for those who need no more than the source.
[[nodiscard]] expected<source_file> parse_source(const language& lang, std::string path, std::string_view text);

/// Whether a text parses without errors, otherwise where the first one is; and whether a test stands in it.
struct syntax_report {
  bool ok = true;
  /// By `syntax.tests` of the language; comments and strings do not count, a test without a body does. In a text with
  /// errors: something is called or defined that has a test's name. Without `syntax.tests`: something is defined.
  bool holds_test = false;
  bool gave_up = false;  ///< The text breaks a bound of the parser. Then `ok` is false.
  uint32_t line = 0;     ///< Of the first error; counts from 1. 0 if `ok`.
  uint32_t column = 0;   ///< In bytes; counts from 1. 0 if `ok`.
  std::string bound;     ///< Which bound it breaks, in words; see `why_not_parsed`.
};

/// `path_or_extension` ("a/b.tsx", ".tsx") chooses among the language's grammars.
[[nodiscard]] syntax_report check_syntax(const language& lang, std::string_view path_or_extension,
                                         std::string_view text);

/// One statement at the top level of a file. The ranges of all nodes are disjoint and in order.
struct top_level_node {
  std::string kind;    ///< "import", "definition" or "other" (comments are "other").
  std::string name;    ///< Of a definition; empty if it has none or binds several names.
  uint32_t begin = 0;  ///< Half-open byte range; includes decorators and `export`.
  uint32_t end = 0;
};

[[nodiscard]] std::vector<top_level_node> top_level(const language& lang, std::string_view path_or_extension,
                                                    std::string_view text);

}  // namespace cohort::languages
