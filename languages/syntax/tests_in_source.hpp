// Finds the tests in a tree, by the shapes in a language's "syntax.tests". For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tree_sitter/api.h>

#include "languages/grammars/grammar_rules.hpp"

namespace cohort::languages {

/// See `syntax_report::holds_test`. Linear in the text's length.
[[nodiscard]] bool holds_test(const TSTree& tree, const grammar_rules& rules, std::string_view text);

/// The names of the tests in a tree: "test_total", "TestCart.test_total", "returns the total"; one entry for each test,
/// in no order. Empty for a language without "syntax.tests".
[[nodiscard]] std::vector<std::string> names_of_tests(const TSTree& tree, const grammar_rules& rules,
                                                      std::string_view text);

}  // namespace cohort::languages
