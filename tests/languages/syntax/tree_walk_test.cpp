// The walk meets what the library's own cursor meets.

#include "languages/syntax/tree_walk.hpp"

#include <tuple>

#include "languages/grammars/compiled_grammars.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "tests/planning/planning_fixture.hpp"

namespace cohort::languages {
namespace {

/// Symbol, first and last byte, row, column, depth.
using met_node = std::tuple<uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t>;

met_node seen(TSNode node, uint32_t depth) {
  const auto start = ts_node_start_point(node);
  return {ts_node_symbol(node), ts_node_start_byte(node), ts_node_end_byte(node), start.row, start.column, depth};
}

std::vector<met_node> met_by_cursor(const TSTree& tree) {
  std::vector<met_node> nodes;
  tree_cursor cursor{ts_tree_root_node(&tree)};
  uint32_t depth = 0;
  while (true) {
    nodes.push_back(seen(cursor.node(), depth));
    if (cursor.first_child()) {
      ++depth;
      continue;
    }
    while (!cursor.next_sibling()) {
      if (!cursor.parent()) return nodes;
      --depth;
    }
  }
}

/// Every kind of node, errors too, has the first role; a kind with an even number has the second.
grammar_rules rules_for_all(const TSLanguage* grammar) {
  grammar_rules rules;
  rules.grammar = grammar;
  rules.roles.resize(UINT16_MAX + 1);
  for (size_t symbol = 0; symbol < rules.roles.size(); ++symbol) rules.roles[symbol] = symbol % 2 == 0 ? 3 : 1;
  return rules;
}

std::vector<met_node> met_by_walk(const TSTree& tree, const grammar_rules& rules, uint32_t wanted) {
  std::vector<met_node> nodes;
  walk_tree(tree, rules, wanted, [&](TSNode node, uint32_t roles, uint32_t& level) {
    EXPECT_EQ(roles, rules.roles_of(ts_node_symbol(node)));
    nodes.push_back(seen(node, level++));
    return true;
  });
  return nodes;
}

TEST(a_walk, meets_what_the_cursor_meets) {
  size_t met = 0;
  for (const auto& text : planning::fixture::sound_and_broken_texts())
    for (const auto& grammar : compiled_grammars()) {
      const auto rules = rules_for_all(grammar.language());
      const auto tree = parse_tree(rules, text);
      const auto walked = met_by_walk(*tree, rules, 1);
      ASSERT_EQ(walked, met_by_cursor(*tree)) << grammar.symbol << ": " << text;
      met += walked.size();
    }
  EXPECT_GT(met, 10'000U);
}

TEST(a_walk, asks_about_wanted_roles_only) {
  const auto text = planning::fixture::sound_and_broken_texts().front();
  const auto rules = rules_for_all(compiled_grammars().front().language());
  const auto tree = parse_tree(rules, text);
  const auto some = met_by_walk(*tree, rules, 2);
  EXPECT_LT(some.size(), met_by_walk(*tree, rules, 1).size());
  EXPECT_FALSE(some.empty());
  EXPECT_TRUE(met_by_walk(*tree, rules, 4).empty());
}

TEST(a_walk, leaves_out_what_is_below_a_node_that_does_not_want_it) {
  const auto rules = rules_for_all(compiled_grammars().front().language());
  const auto tree = parse_tree(rules, planning::fixture::sound_and_broken_texts().front());
  const auto children = ts_node_child_count(ts_tree_root_node(tree.get()));
  uint32_t met = 0;
  walk_tree(*tree, rules, 1, [&](TSNode, uint32_t, uint32_t& level) { return ++met, level++ == 0; });
  EXPECT_EQ(met, children + 1);
}

TEST(a_walk, needs_no_stack_of_ours_for_deep_nesting) {
  for (const auto& grammar : compiled_grammars()) {
    const auto rules = rules_for_all(grammar.language());
    const auto tree = parse_tree(rules, std::string(20'000, '('));
    ASSERT_NE(tree, nullptr);
    EXPECT_GE(met_by_walk(*tree, rules, 1).size(), 1U);
  }
}

}  // namespace
}  // namespace cohort::languages
