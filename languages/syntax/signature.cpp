// Reads the heads of definitions.

#include "languages/syntax/signature.hpp"

#include <algorithm>

namespace cohort::languages {

namespace {

constexpr size_t longest_signature = 300;
constexpr size_t longest_pattern = 60;

bool is_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v'; }

bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

std::string on_one_line(std::string_view text, size_t limit) {
  std::string line;
  bool gap = false;
  for (const char c : text) {
    if (is_space(c)) {
      gap = !line.empty();
      continue;
    }
    if (line.size() >= limit && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {  // never inside a character
      line += "...";
      return line;
    }
    if (gap) line += ' ';
    gap = false;
    line += c;
  }
  return line;
}

/// Reads a parameter from the first few descendants of its node.
struct parameter_facts {
  TSNode name{};
  TSNode pattern{};
  bool optional = false;
  bool rest = false;
};

void look_at(const grammar_rules& rules, TSNode node, parameter_facts& facts, int depth) {
  const auto what = rules.roles_of(ts_node_symbol(node));
  if ((what & role::rest) != 0) facts.rest = true;
  if ((what & role::pattern) != 0) facts.pattern = node;
  if ((what & role::identifier) != 0) facts.name = node;
  if (exists(facts.name) || exists(facts.pattern) || depth > 4) return;
  bool first = true;
  each_child(node, [&](TSNode child, TSFieldId) {
    if ((rules.roles_of(ts_node_symbol(child)) & role::optional_token) != 0) facts.optional = true;
    if (!ts_node_is_named(child) || !first) return;
    if ((rules.roles_of(ts_node_symbol(child)) & role::parameter_prefix) != 0) return;
    first = false;  // The name comes first; types and defaults follow.
    look_at(rules, child, facts, depth + 1);
  });
}

}  // namespace

std::string one_line_signature(std::string_view head) {
  auto line = on_one_line(head, longest_signature);
  for (bool again = true; again;) {
    again = false;
    for (const std::string_view end : {"=>", "{", ":", "=", " "})
      if (line.ends_with(end)) {
        line.resize(line.size() - end.size());
        again = true;
      }
  }
  return line;
}

bool holds_word(std::string_view text, std::string_view word) noexcept {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    if ((at == 0 || !is_word_character(text[at - 1])) && (end == text.size() || !is_word_character(text[end])))
      return true;
  }
  return false;
}

bool holds_any(std::string_view text, const std::vector<std::string>& words) noexcept {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return holds_word(text, word); });
}

std::vector<parameter> read_parameters(const grammar_rules& rules, TSNode node, std::string_view text, bool in_class,
                                       bool is_list) {
  std::vector<parameter> found;
  const auto take = [&](TSNode one) {
    if (!ts_node_is_named(one) || ts_node_is_extra(one)) return;
    parameter_facts facts;
    look_at(rules, one, facts, 0);
    parameter made;
    made.has_default = facts.optional;
    made.is_rest = facts.rest;
    const auto shown = exists(facts.name) ? facts.name : exists(facts.pattern) ? facts.pattern : one;
    made.name = on_one_line(text_of(shown, text), longest_pattern);
    if (made.name == "*" || made.name == "/") return;  // separators of Python's lists
    const auto& receivers = rules.receiver_parameters;
    if (found.empty() && std::find(receivers.begin(), receivers.end(), made.name) != receivers.end() &&
        (in_class || made.name == "this"))
      return;
    found.push_back(std::move(made));
  };
  if (is_list)
    each_child(node, [&](TSNode child, TSFieldId) { take(child); });
  else
    take(node);
  return found;
}

}  // namespace cohort::languages
