// Writes the tail of a prompt: one task's sections, in the form of docs/prompt-format.md.
// Invariant: text that is not ours is fenced, and no section can end another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "languages/conventions/prompt_texts.hpp"
#include "languages/syntax/source.hpp"

namespace cohort::planning {

/// The contents of one prompt. Everything is copied into the prompt; nothing is kept.
struct prompt_sections {
  std::string language;
  std::string framework;
  std::string path;  ///< The source's, relative to the project.
  uint32_t part = 1;
  uint32_t parts = 1;
  std::string save_as;                     ///< Relative to the project unless the tests' directory is elsewhere.
  std::string import_text;                 ///< From `import_text()`.
  std::string constructor;                 ///< Name of the constructor method in this language; may be empty.
  std::vector<languages::symbol> symbols;  ///< What lacks tests.
  std::string dependencies;                ///< From `signatures_of()`; empty: no section.
  std::string example_path;                ///< Empty: no section.
  std::string example;
  std::string_view source;  ///< Verbatim, or the part of it.
};

[[nodiscard]] std::string render_prompt(const prompt_sections& sections);

/// One line of JSON for a symbol, as in `<symbols>`: functions with their parameters; classes with their
/// constructor's parameters, if they define one, and their public methods.
[[nodiscard]] std::string symbol_as_json(const languages::symbol& what, std::string_view constructor);

/// The signatures of `symbols`, one a line, methods indented, below a comment with the file's path.
[[nodiscard]] std::string signatures_of(std::string_view path, std::span<const languages::symbol> symbols,
                                        const languages::prompt_language& language);

/// At most `limit` bytes of `text`, cut after a whole line.
[[nodiscard]] std::string_view first_lines(std::string_view text, uint64_t limit) noexcept;

}  // namespace cohort::planning
