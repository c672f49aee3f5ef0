// Renames identifiers in a source text by its tokens: names in strings, comments and after a dot stay as they are.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "planning/prompt_texts.hpp"

namespace cohort {

/// `text` with each identifier in `names` replaced, where it stands for the name itself: not as an attribute, a keyword
/// argument, a method's own name or a property's key; shorthand properties are written out (`{ a }` becomes
/// `{ a: b }`). Replacement fields of f-strings and templates are followed, and the fixture names that pytest takes as
/// strings.
[[nodiscard]] std::string rename_identifiers(std::string_view text,
                                             const std::map<std::string, std::string, std::less<>>& names,
                                             import_style style);

}  // namespace cohort
