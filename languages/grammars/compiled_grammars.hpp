// Lists the grammars that are compiled into the program. The build generates the definition.
#pragma once

#include <span>
#include <string_view>

#include <tree_sitter/api.h>

namespace cohort::languages {

struct grammar_entry {
  std::string_view symbol;  ///< "tree_sitter_python", as language.json names it.
  const TSLanguage* (*language)();
};

[[nodiscard]] std::span<const grammar_entry> compiled_grammars() noexcept;

}  // namespace cohort::languages
