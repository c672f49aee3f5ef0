// Reads heads of definitions: parameters, modifiers, one-line signatures. For .cpp files only.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "languages/syntax/source.hpp"
#include "languages/syntax/syntax_tree.hpp"

namespace cohort::languages {

/// `head` on one line, without the token that opens the body; at most 300 bytes, then "...".
[[nodiscard]] std::string one_line_signature(std::string_view head);

/// True if `text` has `word` as a whole word.
[[nodiscard]] bool holds_word(std::string_view text, std::string_view word) noexcept;
[[nodiscard]] bool holds_any(std::string_view text, const std::vector<std::string>& words) noexcept;

/// `node` is a list of parameters, or the only one (`is_list` false). In a class, `self` and the like are left out.
[[nodiscard]] std::vector<parameter> read_parameters(const grammar_rules& rules, TSNode node, std::string_view text,
                                                     bool in_class, bool is_list);

}  // namespace cohort::languages
