// Reads imports, wherever they are in a file. For .cpp files only.
#pragma once

#include <string_view>

#include "languages/syntax/parser.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "languages/syntax/tree_walk.hpp"

namespace cohort::languages {

/// Appends what the statement `node` (role `import`, or `exporter` with a source) imports.
void read_import(const grammar_rules& rules, TSNode node, std::string_view text, parsed_file& into);

/// Appends the import if the call `node` is one: `require("./x")`, `import("./x")`. True if it was. `around` are the
/// nodes around the call, which may bind its value or re-export it.
bool read_import_call(const grammar_rules& rules, TSNode node, const node_ancestors& around, std::string_view text,
                      parsed_file& into);

}  // namespace cohort::languages
