// Parses with bounds. A parser is used for one text only: its memory is freed with that of the tree.

#include "languages/syntax/syntax_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/time_bound.hpp"
#include "languages/grammars/unpacked_grammar.hpp"
#include "languages/syntax/tree_arena.hpp"
#include "languages/syntax/tree_walk.hpp"

namespace cohort::languages {

namespace {

/// Measured by the thread's own time, so that a busy machine changes nothing. The library counts no steps, and a text
/// of a few hundred bytes can keep it busy for ever with little memory. Ordinary texts take less than a tenth of this
/// time.
milliseconds longest_time(size_t bytes) {
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
  return milliseconds{300 + bytes / 100};  // A fuzzer should not spend its time on one text.
#else
  return milliseconds{std::min<size_t>(1'000 + bytes / 200, 15'000)};
#endif
}

constexpr uint64_t slice_microseconds = 20'000;  ///< By the clock: how often the bounds are checked.
constexpr size_t deepest_tree = 6'000;

/// The tree of a text that people write takes a third of that.
size_t most_memory(size_t bytes) noexcept { return (size_t{128} << 20U) + 128 * bytes; }

std::string& broken_bound() noexcept {
  thread_local std::string bound;
  return bound;
}

/// Null, with the bound recorded, if parsing takes too much.
TSTree* parse_in_slices(TSParser* parser, std::string_view text, const tree_arena* arena) {
  const time_bound time{longest_time(text.size())};
  const auto memory = most_memory(text.size());
  ts_parser_set_timeout_micros(parser, slice_microseconds);
  for (;;) {
    // Continues where the last slice ended.
    if (auto* tree = ts_parser_parse_string(parser, nullptr, text.data(), static_cast<uint32_t>(text.size())))
      return tree;
    if (time.over())
      broken_bound() = fmt::format("it takes the parser more than {} ms", time.limit().count());
    else if (arena != nullptr && arena->bytes() > memory)
      broken_bound() = fmt::format("it takes the parser more than {} MiB", memory >> 20U);
    else
      continue;
    return nullptr;
  }
}

struct parser_deleter {
  void operator()(TSParser* parser) const noexcept { ts_parser_delete(parser); }
};

}  // namespace

void tree_deleter::operator()(TSTree* tree) const noexcept {
  if (arena == nullptr) return ts_tree_delete(tree);
  return_arena(std::unique_ptr<tree_arena>{arena});  // with the tree in it
}

syntax_tree parse_tree(const grammar_rules& rules, std::string_view text) {
  broken_bound().clear();
  if (text.size() > UINT32_MAX) {
    broken_bound() = "it is longer than 4 GiB";
    return nullptr;
  }
  auto arena = take_arena();
  TSTree* tree = nullptr;
  {
    const arena_scope inside{arena.get()};
    const std::unique_ptr<TSParser, parser_deleter> parser{ts_parser_new()};
    if (!parser || !ts_parser_set_language(parser.get(), unpacked(rules.grammar))) return nullptr;
    tree = parse_in_slices(parser.get(), text, arena.get());
  }
  if (tree == nullptr) {
    return_arena(std::move(arena));
    return nullptr;
  }
  syntax_tree made{tree, tree_deleter{arena.release()}};
  if (is_shallow(*made, deepest_tree)) return made;
  broken_bound() = fmt::format("it is nested deeper than {} levels", deepest_tree);
  return nullptr;
}

const std::string& why_not_parsed() noexcept { return broken_bound(); }

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

}  // namespace cohort::languages
