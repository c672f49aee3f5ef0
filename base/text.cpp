// Checks UTF-8 and writes text as JSON. Text for people is written by text_display.cpp.

#include "base/text.hpp"

#include <array>
#include <cstdint>
#include <cstring>

namespace cohort::inline base {

size_t sequence_length(std::string_view text) noexcept {
  const auto byte = [text](size_t i) { return static_cast<uint8_t>(text[i]); };
  const auto continues = [&](size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
  const uint8_t lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return continues(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    if (!continues(1) || !continues(2)) return 0;
    if (lead == 0xE0 && byte(1) < 0xA0) return 0;
    if (lead == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    if (!continues(1) || !continues(2) || !continues(3)) return 0;
    if (lead == 0xF0 && byte(1) < 0x90) return 0;
    if (lead == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

namespace {

/// How many bytes at the front of `text` are surely ASCII; looked at eight at a time.
size_t leading_ascii(std::string_view text) noexcept {
  constexpr uint64_t high_bits = 0x8080808080808080ULL;
  size_t length = 0;
  for (; length + sizeof(uint64_t) <= text.size(); length += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + length, sizeof word);
    if ((word & high_bits) != 0) break;
  }
  return length;
}

/// How many bytes at the front of `text` surely stand for themselves inside a JSON string; looked at eight at a time.
size_t leading_plain(std::string_view text) noexcept {
  constexpr uint64_t ones = 0x0101010101010101ULL;
  constexpr uint64_t high_bits = 0x8080808080808080ULL;
  // A byte below `limit` borrows into its own high bit; a borrow from below can only report too much.
  const auto has_below = [](uint64_t word, uint64_t limit) { return (word - ones * limit) & ~word & high_bits; };
  size_t length = 0;
  for (; length + sizeof(uint64_t) <= text.size(); length += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, text.data() + length, sizeof word);
    const auto quotes = has_below(word ^ (ones * '"'), 1);
    const auto backslashes = has_below(word ^ (ones * '\\'), 1);
    if ((has_below(word, 0x20) | quotes | backslashes) != 0) break;
  }
  return length;
}

/// Bytes that do not stand for themselves inside a JSON string: the quote, the backslash, control characters.
constexpr std::array<bool, 256> needs_escape = [] {
  std::array<bool, 256> table{};
  for (size_t i = 0; i < 32; ++i) table[i] = true;
  table['"'] = true;
  table['\\'] = true;
  return table;
}();

}  // namespace

bool is_utf8(std::string_view text) noexcept {
  while (!text.empty()) {
    text.remove_prefix(leading_ascii(text));
    if (text.empty()) break;
    const auto length = sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const auto length = sequence_length(text);
    if (length == 0) {
      result += "\xEF\xBF\xBD";
      text.remove_prefix(1);
      continue;
    }
    result += text.substr(0, length);
    text.remove_prefix(length);
  }
  return result;
}

std::string clipped(std::string_view text, size_t limit) {
  if (text.size() <= limit) return std::string{text};
  while (limit > 0 && (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U) --limit;
  return std::string{text.substr(0, limit)};
}

void append_json_string(std::string& out, std::string_view text) {
  static constexpr char hex[] = "0123456789abcdef";
  out.push_back('"');
  size_t run = 0;
  for (size_t at = leading_plain(text); at < text.size(); ++at) {
    const auto c = static_cast<unsigned char>(text[at]);
    if (!needs_escape[c]) continue;
    out.append(text.substr(run, at - run));
    run = at + 1;
    switch (c) {
      case '"': out.append("\\\""); break;
      case '\\': out.append("\\\\"); break;
      case '\n': out.append("\\n"); break;
      case '\t': out.append("\\t"); break;
      case '\r': out.append("\\r"); break;
      default:
        out.append("\\u00");
        out.push_back(hex[c >> 4]);
        out.push_back(hex[c & 15]);
    }
    at += leading_plain(text.substr(run));
  }
  out.append(text.substr(run));
  out.push_back('"');
}

}  // namespace cohort::inline base
