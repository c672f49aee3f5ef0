// Checks text as UTF-8 and makes text safe to show: on a terminal, in a log, in JSON and in Markdown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cohort::inline base {

/// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Length in bytes of the well-formed sequence at the front of `text`, which is not empty; 0 if there is none.
[[nodiscard]] size_t sequence_length(std::string_view text) noexcept;

/// `text` with everything that is not well-formed UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// True for characters that act on a display instead of being shown: the controls of ASCII and Latin-1, line and
/// paragraph separators, bidirectional controls, invisible characters, tags and variation selectors of plane 14.
[[nodiscard]] bool acts_on_display(char32_t c) noexcept;

/// `text` made safe for one line of a terminal or a log: line breaks, whatever `acts_on_display` and invalid UTF-8 are
/// shown as escapes (`\n`, `\x1b`, `\u202e`, `\U000e0041`); at most `limit` bytes, then "...".
[[nodiscard]] std::string printable(std::string_view text, size_t limit = 200);

/// The same for text of several lines, whatever its length: line breaks and tabs stay.
[[nodiscard]] std::string printable_lines(std::string_view text);

/// `json` with what acts on a display as `\uXXXX`, so that it means the same and may be shown as it is. `json` must be
/// JSON; its line breaks and tabs stay.
[[nodiscard]] std::string printable_json(std::string_view json);

enum class markdown_context : uint8_t { line, cell };

/// `text` as code in Markdown, for a line or a table's cell: shown verbatim, without links, markup or HTML.
[[nodiscard]] std::string markdown_code(std::string_view text, markdown_context where);

/// `text` as a sentence in Markdown: markup, links and HTML in it are shown verbatim.
[[nodiscard]] std::string markdown_text(std::string_view text);

/// The first `limit` bytes of `text` at the most, without the beginning of a character at their end.
[[nodiscard]] std::string clipped(std::string_view text, size_t limit);

/// Appends `text` as a JSON string with its quotes, at the speed of a scan. `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace cohort::inline base
