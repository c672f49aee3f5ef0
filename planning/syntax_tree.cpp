// Parsers are not thread-safe and cost memory: each thread keeps one for each grammar it met.

#include "planning/syntax_tree.hpp"

#include <algorithm>
#include <vector>

#include "planning/tree_memory.hpp"

namespace cohort {

namespace {

constexpr uint64_t give_up_after_microseconds = 10'000'000;

struct parser_deleter {
  void operator()(TSParser* parser) const noexcept { ts_parser_delete(parser); }
};

TSParser* parser_of_this_thread(const TSLanguage* grammar) {
  struct entry {
    const TSLanguage* grammar;
    std::unique_ptr<TSParser, parser_deleter> parser;
  };
  thread_local std::vector<entry> parsers;
  for (const auto& known : parsers)
    if (known.grammar == grammar) return known.parser.get();
  install_tree_memory();
  std::unique_ptr<TSParser, parser_deleter> parser{ts_parser_new()};
  if (!parser || !ts_parser_set_language(parser.get(), grammar)) return nullptr;
  ts_parser_set_timeout_micros(parser.get(), give_up_after_microseconds);
  parsers.push_back({grammar, std::move(parser)});
  return parsers.back().parser.get();
}

/// tree-sitter 0.20 corrupts its memory when it gives up on more than 65535 tokens at once, which takes a text longer
/// than that with absurdly deep brackets or endless repetition. Such a text is refused before it is parsed.
bool is_dangerous(std::string_view text) noexcept {
  constexpr size_t safe = 60'000;
  constexpr size_t longest_period = 16;
  if (text.size() < safe) return false;
  size_t depth = 0;
  size_t runs[longest_period + 1] = {};
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' || c == '[' || c == '{' || c == '<') ++depth;
    if ((c == ')' || c == ']' || c == '}' || c == '>') && depth > 0) --depth;
    if (depth > safe / 4) return true;
    for (size_t period = 1; period <= std::min(longest_period, i); ++period) {
      runs[period] = text[i - period] == c ? runs[period] + 1 : 0;
      if (runs[period] > safe && c != ' ' && c != '\n') return true;
    }
  }
  return false;
}

}  // namespace

syntax_tree parse_tree(const grammar_rules& rules, std::string_view text) {
  auto* parser = parser_of_this_thread(rules.grammar);
  if (parser == nullptr || text.size() > UINT32_MAX || is_dangerous(text)) return nullptr;
  syntax_tree tree{ts_parser_parse_string(parser, nullptr, text.data(), static_cast<uint32_t>(text.size()))};
  if (!tree) ts_parser_reset(parser);  // otherwise the next text would resume this one
  return tree;
}

TSNode look_through(TSNode node, const grammar_rules& rules) noexcept {
  for (int i = 0; i < 32 && exists(node) && (rules.roles_of(ts_node_symbol(node)) & role::transparent) != 0; ++i) {
    const auto inner = ts_node_named_child(node, 0);
    if (!exists(inner)) break;
    node = inner;
  }
  return node;
}

std::string_view unquoted(std::string_view text) noexcept {
  constexpr std::string_view quotes = "\"'`";
  if (text.size() >= 2 && text.front() == text.back() && quotes.find(text.front()) != std::string_view::npos)
    return text.substr(1, text.size() - 2);
  return text;
}

}  // namespace cohort
