// Represents import statements as values, so that they can be compared, joined and written again.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"

namespace cohort::answers {

/// One name that an import makes available.
struct import_binding {
  std::string name;   ///< Its name in the module; "default", "*" or empty (the module itself) if it has none.
  std::string local;  ///< Its name in the file; empty if nothing is bound (`import "x"`, `import *`).
  friend bool operator==(const import_binding&, const import_binding&) = default;
};

/// How a statement binds: decides what can be joined with what and how it is written. `es_members` is `const { a, b: c
/// } = cart;`, where `module` is the name that an earlier import has bound: `cart`.
enum class import_form : uint8_t { python_module, python_from, es, es_type, es_members, commonjs, go };

struct import_statement {
  import_form form = import_form::es;
  std::string module;
  std::vector<import_binding> bindings;
};

/// The statements in the text of one top-level node. Nothing if the node is not an import, or has more than a list of
/// names; then it is compared as text only.
[[nodiscard]] std::optional<std::vector<import_statement>> read_imports(std::string_view text,
                                                                        languages::import_style style);

/// One statement as text, without a line break at its end.
[[nodiscard]] std::string write_import(const import_statement& statement);

}  // namespace cohort::answers
