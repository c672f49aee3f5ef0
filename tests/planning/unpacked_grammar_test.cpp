// A grammar with full rows parses as the packed one does.

#include "planning/unpacked_grammar.hpp"

#include <filesystem>

#include "planning/grammar_table.hpp"
#include "planning/syntax_tree.hpp"
#include "planning_fixture.hpp"

namespace cohort {
namespace {

namespace fs = std::filesystem;

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

/// Sound files of all languages, and the same cut off and with a piece taken out.
std::vector<std::string> texts() {
  std::vector<std::string> all;
  for (const auto& entry : fs::recursive_directory_iterator{fs::path{COHORT_SOURCE_DIR} / "examples" / "bookshop"}) {
    if (!entry.is_regular_file() || entry.file_size() > 1'500) continue;
    const auto text = *read_file(entry.path());
    all.push_back(text);
    all.push_back(text.substr(0, text.size() / 2));
    all.push_back(text.substr(0, text.size() / 3) + text.substr(text.size() * 2 / 5));
  }
  return all;
}

TEST(an_unpacked_grammar, parses_sound_and_broken_texts_as_the_packed_one_does) {
  size_t compared = 0;
  for (const auto& text : texts())
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
}  // namespace cohort
