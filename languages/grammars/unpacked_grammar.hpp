// Gives a grammar the parse table in the form that is read fastest; the parser looks into it for each token.
#pragma once

#include <tree_sitter/api.h>

namespace cohort::languages {

/// The same grammar with one full row for each state. Generated parsers keep most rows as lists that are searched
/// from their begin, to be small; that was a tenth of all instructions of parsing. Takes 1 to 5 MB, made at the first
/// call for a grammar and kept until the program ends. Any thread.
[[nodiscard]] const TSLanguage* unpacked(const TSLanguage* grammar);

}  // namespace cohort::languages
