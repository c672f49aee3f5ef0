// Escapes text for a terminal, a log, JSON and Markdown.
// Invariant: no character that acts on a display passes unescaped, whoever wrote the text.

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort::inline base {

namespace {

struct character_range {
  char32_t first;
  char32_t last;
};

/// Beyond ASCII, ascending. Unicode's Cc, Zl, Zp, the bidirectional controls, and what is invisible by itself.
constexpr std::array acting{
    character_range{0x0080, 0x009F},    // C1: 0x9B is CSI
    character_range{0x00AD, 0x00AD},    // soft hyphen
    character_range{0x034F, 0x034F},    // grapheme joiner
    character_range{0x061C, 0x061C},    // Arabic letter mark
    character_range{0x115F, 0x1160},    // Hangul fillers
    character_range{0x17B4, 0x17B5},    // Khmer inherent vowels
    character_range{0x180B, 0x180F},    // Mongolian selectors and separator
    character_range{0x200B, 0x200F},    // zero width, left-to-right and right-to-left marks
    character_range{0x2028, 0x202E},    // separators, embeddings and overrides
    character_range{0x2060, 0x206F},    // word joiner, isolates, deprecated controls
    character_range{0x3164, 0x3164},    // Hangul filler
    character_range{0xFEFF, 0xFEFF},    // byte order mark
    character_range{0xFFA0, 0xFFA0},    // Hangul filler, half width
    character_range{0xFFF0, 0xFFFB},    // interlinear annotations
    character_range{0x1BCA0, 0x1BCA3},  // shorthand format controls
    character_range{0x1D173, 0x1D17A},  // musical format controls
    character_range{0xE0000, 0xE0FFF},  // tags and variation selectors
};

/// The character that the well-formed sequence `text` is.
char32_t decoded(std::string_view text) noexcept {
  const auto lead = static_cast<uint8_t>(text.front());
  if (text.size() == 1) return lead;
  char32_t c = lead & (0xFFU >> (text.size() + 1));
  for (const char byte : text.substr(1)) c = c << 6U | (static_cast<uint8_t>(byte) & 0x3FU);
  return c;
}

void append_shown(std::string& out, char32_t c) {
  switch (c) {
    case '\n': out += "\\n"; return;
    case '\t': out += "\\t"; return;
    case '\r': out += "\\r"; return;
    default: break;
  }
  if (c <= 0x7F)
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint32_t>(c));
  else if (c <= 0xFFFF)
    fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<uint32_t>(c));
  else
    fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<uint32_t>(c));
}

void append_json_escape(std::string& out, char32_t c) {
  const auto unit = [&out](uint32_t value) { fmt::format_to(std::back_inserter(out), "\\u{:04x}", value); };
  if (c <= 0xFFFF) return unit(static_cast<uint32_t>(c));
  unit(0xD800U + static_cast<uint32_t>((c - 0x10000U) >> 10U));
  unit(0xDC00U + static_cast<uint32_t>((c - 0x10000U) & 0x3FFU));
}

bool is_plain_byte(char byte) noexcept { return byte >= 0x20 && byte < 0x7F; }

/// Calls `take` with each piece of `text`: runs of plain ASCII and single characters. A byte that is not UTF-8 is a
/// piece of its own with `valid` false. Ends early when `take` returns false.
template <class Take>
void for_each_piece(std::string_view text, Take take) {
  while (!text.empty()) {
    const auto end = std::find_if_not(text.begin(), text.end(), is_plain_byte);
    auto length = static_cast<size_t>(end - text.begin());
    bool valid = true;
    if (length == 0) {
      length = sequence_length(text);
      valid = length != 0;
      length = std::max<size_t>(length, 1);
    }
    if (!take(text.substr(0, length), valid)) return;
    text.remove_prefix(length);
  }
}

/// Appends one `piece` of `for_each_piece`, escaped if need be; `keeps` names the ASCII controls that are not escaped.
void append_piece(std::string& out, std::string_view piece, bool valid, std::string_view keeps) {
  if (!valid) {
    fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<uint8_t>(piece.front()));
    return;
  }
  const auto c = decoded(piece.substr(0, is_plain_byte(piece.front()) ? 1 : piece.size()));
  if (acts_on_display(c) && keeps.find(piece.front()) == std::string_view::npos)
    append_shown(out, c);
  else
    out += piece;
}

}  // namespace

bool acts_on_display(char32_t c) noexcept {
  if (c < 0x80) return c < 0x20 || c == 0x7F;
  const auto* after =
      std::upper_bound(acting.begin(), acting.end(), c,
                       [](char32_t value, const character_range& range) { return value < range.first; });
  return after != acting.begin() && c <= std::prev(after)->last;
}

std::string printable(std::string_view text, size_t limit) {
  std::string result;
  for_each_piece(text, [&](std::string_view piece, bool valid) {
    const size_t room = limit - std::min(limit, result.size());
    if (is_plain_byte(piece.front()) && piece.size() > room) {
      result += piece.substr(0, room);
      result += "...";
      return false;
    }
    if (room == 0) {
      result += "...";
      return false;
    }
    append_piece(result, piece, valid, {});
    return true;
  });
  return result;
}

std::string printable_lines(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  for_each_piece(text, [&](std::string_view piece, bool valid) {
    append_piece(result, piece, valid, "\n\t");
    return true;
  });
  return result;
}

std::string printable_json(std::string_view json) {
  std::string result;
  result.reserve(json.size());
  for_each_piece(json, [&](std::string_view piece, bool valid) {
    if (!valid) {
      result += "\\ufffd";
      return true;
    }
    const auto c = decoded(piece.substr(0, is_plain_byte(piece.front()) ? 1 : piece.size()));
    if (acts_on_display(c) && c != '\n' && c != '\t')
      append_json_escape(result, c);
    else
      result += piece;
    return true;
  });
  return result;
}

std::string markdown_code(std::string_view text, markdown_context where) {
  std::string shown;
  // Markdown programs disagree about a bar that follows a backslash.
  for (const char c : printable(text, 1000))
    shown += c == '|' && where == markdown_context::cell ? "\\x7c" : std::string(1, c);
  size_t longest = 0;
  for (size_t run = 0, i = 0; i < shown.size(); ++i) {
    run = shown[i] == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  // A blank separates a backtick at an end of the text from the fence, and is not shown.
  const bool padded = shown.empty() || shown.front() == '`' || shown.back() == '`' || shown.front() == ' ';
  const std::string_view gap = padded ? " " : "";
  return fmt::format("{}{}{}{}{}", fence, gap, shown, gap, fence);
}

std::string markdown_text(std::string_view text) {
  constexpr std::string_view markup = "\\`*_{}[]()<>|~&#!:@$=+^";
  std::string result;
  for (const char c : printable(text, 1000)) {
    const bool may_be_host = c == '.' && !result.empty() && (result.back() == 'w' || result.back() == 'W');
    if (may_be_host || markup.find(c) != std::string_view::npos) result += '\\';
    result += c;
  }
  return result;
}

}  // namespace cohort::inline base
