// Compiles the "syntax" of a language.json into tables for one grammar. For .cpp files only.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "base/config_reader.hpp"
#include "languages/grammars/grammar_rules.hpp"

namespace cohort::languages {

/// Names of node kinds and fields that some grammar of the language has, and those that a description used.
/// A name that no grammar of the language knows is a mistake; one that only some know (JSX) is fine.
struct grammar_names {
  std::set<std::string> used_kinds, known_kinds;
  std::set<std::string> used_fields, known_fields;
};

/// Mistakes are kept by `syntax`, names go to `names`, which the caller compares over all grammars.
[[nodiscard]] std::shared_ptr<const grammar_rules> compile_syntax(const TSLanguage* grammar,
                                                                  const config_reader& syntax,
                                                                  std::vector<std::string> extensions,
                                                                  grammar_names& names);

}  // namespace cohort::languages
