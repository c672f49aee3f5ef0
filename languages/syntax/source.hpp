// Defines the results of parsing, a source file with its symbols and imports, independent of any grammar. Values only:
// `parser.hpp` fills them, gaps and prompts read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/digest.hpp"

namespace cohort::languages {

enum class symbol_kind : uint8_t { function, method, class_type, type, constant };

struct parameter {
  std::string name;          ///< Without annotation or default.
  bool has_default = false;  ///< A default value, or optional.
  bool is_rest = false;      ///< `*args`, `**kwargs`, `...rest`.
};

/// A definition that a test could name.
struct symbol {
  std::string name;
  symbol_kind kind = symbol_kind::function;
  std::string signature;              ///< The definition's head on one line, without its body.
  std::vector<parameter> parameters;  ///< Of functions and methods; without `self`/`cls`.
  bool is_public = false;             ///< Exported, or public by the language's convention.
  bool is_default_export = false;
  bool is_async = false;
  bool is_static = false;
  uint32_t first_line = 0;  ///< Counts from 1; includes decorators.
  uint32_t last_line = 0;
  uint32_t first_byte = 0;  ///< Half-open range in the file.
  uint32_t end_byte = 0;
  uint32_t branches = 0;        ///< Decision points inside, nested symbols included.
  std::vector<symbol> members;  ///< Methods of a class.
};

/// One import of one module.
struct import_ref {
  std::string module;              ///< As written: "bookshop.cart", "./cart.js".
  std::vector<std::string> names;  ///< Imported names; empty if the whole module is.
  std::string resolved;            ///< Project-relative path of the imported file; empty if outside the project.
  bool is_reexport = false;        ///< This file re-exports the names: `export ... from`, `export { imported }`.
};

enum class module_system : uint8_t { none, esm, commonjs };

/// Most symbols of one file, methods included. Files that people write have hundreds; a file with more than this is not
/// planned.
constexpr size_t most_symbols = 20'000;

/// A parsed file of the project.
struct source_file {
  std::string path;      ///< Relative to the project, '/' separators.
  std::string language;  ///< Id of the folder in `config/languages/`.
  digest content;
  uint32_t bytes = 0;
  uint32_t lines = 0;       ///< Non-blank lines.
  uint32_t complexity = 1;  ///< 1 to 10; docs/planning.md has the formula.
  bool has_errors = false;  ///< The parser met a syntax error.
  bool is_test = false;     ///< By the language's conventions.
  module_system modules = module_system::none;
  std::vector<symbol> symbols;  ///< Top level only.
  std::vector<import_ref> imports;
};

}  // namespace cohort::languages
