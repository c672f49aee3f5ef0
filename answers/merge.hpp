// Merges several test files into one: the answers to the parts of one source.
// Invariant: every test of every part is in the result and sees its own part's definitions, and no other part's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/parser.hpp"

namespace cohort::answers {

/// Why a part must have a file of its own, for people; empty if it can be merged with others. Depends on the part
/// alone: module mocks, hooks of a whole module, statements that do something when the file is loaded, names whose uses
/// cannot be followed.
[[nodiscard]] std::string why_not_mergeable(const languages::language& lang,
                                            const languages::prompt_language& conventions, std::string_view target,
                                            const std::string& part);

/// Merges whole files in their order; all must be fit to be merged. Imports are joined. Where parts give a name
/// different meanings, a language with blocks keeps each part's in a block (`describe`, where a part has hooks), in
/// others the name gets the ending "_part2" (3, ...) throughout that part. Definitions without state and with the same
/// text are kept once. Fails with `ec::no_code` if there are no parts. The caller has to check that the result parses.
[[nodiscard]] expected<std::string> merge_parts(const languages::language& lang,
                                                const languages::prompt_language& conventions, std::string_view target,
                                                const std::vector<std::string>& parts);

/// Joins pieces of one file, as in an answer with several blocks of code: later ones may use what earlier ones define.
/// Fails with `ec::no_code` if there are no pieces, with `ec::broken_code` if two pieces define one name differently.
[[nodiscard]] expected<std::string> join_pieces(const languages::language& lang,
                                                const languages::prompt_language& conventions, std::string_view target,
                                                const std::vector<std::string>& pieces);

}  // namespace cohort::answers
