// Finds the identifiers of a text without a grammar.
#pragma once

#include <cctype>
#include <string_view>

namespace cohort::languages {

/// Calls `action(word)` for each run of letters, digits, `_`, `$` and bytes beyond ASCII, in the text's order.
template <class Action>
void each_word(std::string_view text, Action action) {
  const auto in_word = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x80 || std::isalnum(byte) || c == '_' || c == '$';
  };
  for (size_t at = 0; at < text.size();) {
    if (!in_word(text[at])) {
      ++at;
      continue;
    }
    const auto begin = at;
    while (at < text.size() && in_word(text[at])) ++at;
    action(text.substr(begin, at - begin));
  }
}

}  // namespace cohort::languages
