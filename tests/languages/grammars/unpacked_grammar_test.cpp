// A grammar with full rows parses as the packed one does.

#include "languages/grammars/unpacked_grammar.hpp"

#include "languages/grammars/compiled_grammars.hpp"
#include "languages/syntax/syntax_tree.hpp"
#include "tests/planning/planning_fixture.hpp"

namespace cohort::languages {
namespace {

struct parser_deleter {
  void operator()(TSParser* parser) const noexcept { ts_parser_delete(parser); }
};

/// Symbol and place of each node, in the order of the text.
std::vector<uint32_t> nodes_of(const TSLanguage* grammar, std::string_view text) {
  const std::unique_ptr<TSParser, parser_deleter> parser{ts_parser_new()};
  EXPECT_TRUE(ts_parser_set_language(parser.get(), grammar));
  const syntax_tree tree{
      ts_parser_parse_string(parser.get(), nullptr, text.data(), static_cast<uint32_t>(text.size()))};
  std::vector<uint32_t> nodes;
  tree_cursor cursor{ts_tree_root_node(tree.get())};
  while (true) {
    const auto node = cursor.node();
    nodes.insert(nodes.end(), {ts_node_symbol(node), ts_node_start_byte(node), ts_node_end_byte(node), cursor.field(),
                               ts_node_is_missing(node) ? 1U : 0U});
    if (cursor.first_child()) continue;
    while (!cursor.next_sibling())
      if (!cursor.parent()) return nodes;
  }
}

TEST(an_unpacked_grammar, parses_sound_and_broken_texts_as_the_packed_one_does) {
  size_t compared = 0;
  for (const auto& text : planning::fixture::sound_and_broken_texts())
    for (const auto& grammar : compiled_grammars()) {
      EXPECT_EQ(nodes_of(unpacked(grammar.language()), text), nodes_of(grammar.language(), text)) << grammar.symbol;
      ++compared;
    }
  EXPECT_GT(compared, 100U);
}

TEST(an_unpacked_grammar, is_made_once) {
  const auto* grammar = compiled_grammars().front().language();
  EXPECT_EQ(unpacked(grammar), unpacked(grammar));
  EXPECT_NE(unpacked(grammar), grammar);
}

}  // namespace
}  // namespace cohort::languages
