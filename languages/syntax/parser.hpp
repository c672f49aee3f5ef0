// Parses a text into symbols, imports, branches and complexity, with tree-sitter and a language's rules. All functions
// may be called from many threads at once; each thread keeps its own parsers.
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
  std::string name;   ///< Its name in the imported module; "default" for the default export, "*" for the whole module.
  std::string local;  ///< Its name in this file.
};

/// Everything that planning takes from one file.
struct parsed_file {
  source_file file;
  std::vector<import_alias> aliases;
  /// The names (`local`) under which a re-export exports what it imports; "*" is the module as an object. A re-export
  /// without an entry exports all names unchanged.
  std::vector<import_alias> reexports;  ///< In the order of the imports.
  /// `name_hash` of all identifiers outside imports, sorted, without duplicates. Only of test files.
  std::vector<uint64_t> mentions;
};

/// Hash of an identifier; stable over runs and machines.
[[nodiscard]] uint64_t name_hash(std::string_view name) noexcept;

/// Parses one file. `imports[].resolved` stays empty: that needs the project (planning/survey/module_resolution.hpp).
/// Syntax errors are no failure (`has_errors`); `ec::unparsable` only if the text breaks a bound of the parser.
/// `content` is the text's SHA-256, for callers that know it already.
[[nodiscard]] expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text,
                                               const digest& content);
[[nodiscard]] expected<parsed_file> parse_file(const language& lang, std::string path, std::string_view text);

/// `parse_file` for callers that need only the source.
[[nodiscard]] expected<source_file> parse_source(const language& lang, std::string path, std::string_view text);

/// Whether a text parses without errors, and if not, where the first one is; and whether the text holds a test.
struct syntax_report {
  bool ok = true;
  /// By `syntax.tests` of the language; comments and strings do not count, a test without a body does. In a text with
  /// errors: something is called or defined that has a test's name. Without `syntax.tests`: something is defined.
  bool holds_test = false;
  bool gave_up = false;  ///< The text breaks a bound of the parser. Then `ok` is false.
  uint32_t line = 0;     ///< Of the first error; counts from 1. 0 if `ok`.
  uint32_t column = 0;   ///< In bytes; counts from 1. 0 if `ok`.
  std::string bound;     ///< A sentence about the bound that it breaks; see `why_not_parsed`.
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
