// The library's cursor makes a node of each that it meets, and remembers how to go back; most are tokens that nobody
// asks about. This reads the tree as it is stored: what is hidden has visible children, an alias gives a child another
// kind.

#include "planning/tree_walk.hpp"

#include <vector>

#include <src/language.h>  // tree-sitter's own: how a tree is stored
#include <src/subtree.h>
#include <src/tree.h>

namespace cohort {

namespace {

/// Children of one node that are yet to be met.
struct siblings {
  const Subtree* next;
  const Subtree* end;
  const TSSymbol* aliases;  ///< One for each child that is no comment or the like; null: none.
  Length start;             ///< Of `next`, or of the parent while none was met.
  uint32_t level;
  bool first = true;
};

siblings children_of(const TSLanguage* grammar, const Subtree& parent, Length start, uint32_t level) {
  const auto* children = ts_subtree_children(parent);
  return {children, children + ts_subtree_child_count(parent),
          ts_language_alias_sequence(grammar, parent.ptr->production_id), start, level};
}

TSSymbol take_alias(siblings& among, Subtree child) noexcept {
  if (among.aliases == nullptr || ts_subtree_extra(child)) return 0;
  return *among.aliases++;
}

}  // namespace

void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const node_visitor& enter) {
  const auto meet = [&](const Subtree& one, Length start, TSSymbol alias, uint32_t& level) {
    const auto symbol = ts_language_public_symbol(tree.language, alias != 0 ? alias : ts_subtree_symbol(one));
    const auto roles = rules.roles_of(symbol);
    return (roles & wanted) == 0 || enter(ts_node_new(&tree, &one, start, alias), roles, level);
  };
  const auto start = ts_subtree_padding(tree.root);
  uint32_t top = 0;
  if (!meet(tree.root, start, 0, top) || ts_subtree_child_count(tree.root) == 0) return;
  std::vector<siblings> open{children_of(tree.language, tree.root, start, top)};
  while (!open.empty()) {
    auto& among = open.back();
    if (among.next == among.end) {
      open.pop_back();
      continue;
    }
    const auto& child = *among.next++;
    if (!among.first) among.start = length_add(among.start, ts_subtree_padding(child));
    among.first = false;
    const auto here = among.start;
    among.start = length_add(here, ts_subtree_size(child));
    const auto alias = take_alias(among, child);
    auto level = among.level;
    const bool visible = alias != 0 || ts_subtree_visible(child);
    if ((visible && !meet(child, here, alias, level)) || ts_subtree_child_count(child) == 0) continue;
    open.push_back(children_of(tree.language, child, here, level));
  }
}

}  // namespace cohort
