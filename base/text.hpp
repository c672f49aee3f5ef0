// Small questions about text that several rooms ask.
#pragma once

#include <string>
#include <string_view>

namespace cohort {

/// True if `text` is well-formed UTF-8 (no overlong forms, no surrogates).
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// `text` with everything that is not well-formed UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

/// `text` made safe for one line of a terminal or a log: control characters, invalid UTF-8 and
/// line breaks are shown as escapes; at most `limit` bytes, then "...".
[[nodiscard]] std::string printable(std::string_view text, size_t limit = 200);

/// The first `limit` bytes of `text` at the most, without the beginning of a character at their end.
[[nodiscard]] std::string clipped(std::string_view text, size_t limit);

/// Appends `text` as a JSON string with its quotes, at the speed of a scan. `text` must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace cohort
