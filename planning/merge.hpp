// Several test files into one: the answers to the parts of one source.
// Invariant: every test of every part is in the result and refers to its own part's definitions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planning/parser.hpp"
#include "planning/prompt_texts.hpp"

namespace cohort {

/// Merges whole files in their order. Imports of later parts are left out where an earlier part has them, join the
/// statement that imports from the same module, or follow the last import of the first part. Top-level definitions
/// and statements of a later part that are the same text as an earlier one's are left out; where a later
/// part gives a name another meaning, the name gets the ending "_part2" (3, ...) throughout that part.
/// Fails with `ec::no_code` if there are no parts. Whether the result parses is for the caller to check.
[[nodiscard]] expected<std::string> merge_parts(const language& lang, const prompt_language& words,
                                                std::string_view target, const std::vector<std::string>& parts);

}  // namespace cohort
