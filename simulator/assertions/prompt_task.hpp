// Reads the task in a prompt, as docs/prompt-format.md describes it. The results are views into the prompt: only names
// are copied.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cohort::simulator {

struct task_parameter {
  std::string name;
  bool has_default = false;
  bool is_rest = false;
};

struct task_method {
  std::string name;
  bool is_static = false;
};

struct task_symbol {
  std::string name;
  std::string kind;  ///< "function", "class", "type", "constant"
  std::string signature;
  bool is_async = false;
  bool is_default_export = false;
  std::vector<task_parameter> parameters;
  std::vector<task_method> methods;
};

struct prompt_task {
  std::string language;
  std::string framework;
  std::string path;
  std::string_view import_text;  ///< Without the line break at its end.
  std::string_view source;
  std::vector<task_symbol> symbols;
};

/// Finds and reads the first task; nothing if there is none. Sections and symbol lines that cannot be read are left
/// out.
[[nodiscard]] std::optional<prompt_task> find_task(std::string_view prompt);

/// True if `c` can be part of a name in the languages we know.
[[nodiscard]] bool is_name_character(char c) noexcept;

/// The position that says that nothing was found.
inline constexpr auto npos = std::string_view::npos;

/// Position of `word` as a whole word at or after `from`, or npos.
[[nodiscard]] size_t find_word(std::string_view text, std::string_view word, size_t from = 0) noexcept;

}  // namespace cohort::simulator
