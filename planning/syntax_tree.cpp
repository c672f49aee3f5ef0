// Parsers are not thread-safe and cost memory: each thread keeps one for each grammar it met.

#include "planning/syntax_tree.hpp"

#include <algorithm>
#include <vector>

#include "planning/tree_memory.hpp"
#include "planning/unpacked_grammar.hpp"

namespace cohort {

namespace {

/// By the clock, because the library counts no steps, and texts that keep it busy for ever take little memory: a few
/// hundred bytes are enough. What can be parsed takes less than a tenth of this.
uint64_t give_up_after_microseconds(size_t bytes) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return 300'000 + 10 * bytes;  // a fuzzer's time is for other texts
#else
  return std::min<uint64_t>(2'000'000 + 10 * bytes, 10'000'000);
#endif
}

struct parser_deleter {
  void operator()(TSParser* parser) const noexcept { ts_parser_delete(parser); }
};

TSParser* parser_of_this_thread(const TSLanguage* grammar) {
  struct entry {
    const TSLanguage* grammar;
    std::unique_ptr<TSParser, parser_deleter> parser;
  };
  install_tree_memory();  // first: this thread's memory must outlive its parsers
  thread_local std::vector<entry> parsers;
  for (const auto& known : parsers)
    if (known.grammar == grammar) return known.parser.get();
  std::unique_ptr<TSParser, parser_deleter> parser{ts_parser_new()};
  if (!parser || !ts_parser_set_language(parser.get(), unpacked(grammar))) return nullptr;
  parsers.push_back({grammar, std::move(parser)});
  return parsers.back().parser.get();
}

}  // namespace

syntax_tree parse_tree(const grammar_rules& rules, std::string_view text) {
  auto* parser = parser_of_this_thread(rules.grammar);
  if (parser == nullptr || text.size() > UINT32_MAX) return nullptr;
  ts_parser_set_timeout_micros(parser, give_up_after_microseconds(text.size()));
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
