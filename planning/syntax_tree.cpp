// A parser lives for one text: what it would keep is dropped with the memory of the tree.

#include "planning/syntax_tree.hpp"

#include <algorithm>

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

}  // namespace

void tree_deleter::operator()(TSTree* tree) const noexcept {
  if (region == nullptr) return ts_tree_delete(tree);
  return_region(std::unique_ptr<tree_region>{region});  // with the tree in it
}

syntax_tree parse_tree(const grammar_rules& rules, std::string_view text) {
  if (text.size() > UINT32_MAX) return nullptr;
  auto region = take_region();
  TSTree* tree = nullptr;
  {
    const region_scope inside{region.get()};
    const std::unique_ptr<TSParser, parser_deleter> parser{ts_parser_new()};
    if (!parser || !ts_parser_set_language(parser.get(), unpacked(rules.grammar))) return nullptr;
    ts_parser_set_timeout_micros(parser.get(), give_up_after_microseconds(text.size()));
    tree = ts_parser_parse_string(parser.get(), nullptr, text.data(), static_cast<uint32_t>(text.size()));
  }
  if (tree != nullptr) return syntax_tree{tree, tree_deleter{region.release()}};
  return_region(std::move(region));
  return nullptr;
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
