// Whether a tree holds a test, by the shapes in a language's "syntax.tests". For .cpp files only.
#pragma once

#include <string_view>

#include <tree_sitter/api.h>

#include "planning/grammar_rules.hpp"

namespace cohort {

/// See `syntax_report::holds_test`. Linear in the text's length.
[[nodiscard]] bool holds_test(const TSTree& tree, const grammar_rules& rules, std::string_view text);

}  // namespace cohort
