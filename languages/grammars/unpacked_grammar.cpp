// Unpacks parse tables. A packed row is a number of groups; a group is a value, a number of symbols, and the symbols
// that have that value. A symbol in no group has the value 0: nothing to do.

#include "languages/grammars/unpacked_grammar.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <src/parser.h>  // tree-sitter's own: what a generated parser consists of

namespace cohort::languages {

namespace {

/// The grammar holds a pointer to its table.
struct unpacked_grammar {
  TSLanguage grammar;
  std::vector<uint16_t> table;
};

void unpack_row(const uint16_t* packed, uint16_t* row) {
  for (uint16_t groups = *packed++; groups > 0; --groups) {
    const auto value = *packed++;
    for (uint16_t symbols = *packed++; symbols > 0; --symbols) row[*packed++] = value;
  }
}

std::unique_ptr<unpacked_grammar> unpack(const TSLanguage& packed) {
  auto made = std::make_unique<unpacked_grammar>(unpacked_grammar{packed, {}});
  const size_t width = packed.symbol_count;
  made->table.resize(width * packed.state_count);
  std::copy_n(packed.parse_table, width * packed.large_state_count, made->table.begin());
  for (auto state = packed.large_state_count; state < packed.state_count; ++state)
    unpack_row(packed.small_parse_table + packed.small_parse_table_map[state - packed.large_state_count],
               made->table.data() + width * state);
  made->grammar.parse_table = made->table.data();
  made->grammar.large_state_count = packed.state_count;
  return made;
}

}  // namespace

const TSLanguage* unpacked(const TSLanguage* grammar) {
  struct known_grammars {
    std::mutex guard;
    std::unordered_map<const TSLanguage*, std::unique_ptr<unpacked_grammar>> all;
  };
  static auto* known = new known_grammars;  // never destroyed: parsers of other threads may outlive main
  const std::lock_guard lock{known->guard};
  auto& made = known->all[grammar];
  if (!made) made = unpack(*grammar);
  return &made->grammar;
}

}  // namespace cohort::languages
