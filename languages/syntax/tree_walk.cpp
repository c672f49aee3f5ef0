// Walks over a tree as tree-sitter stores it: a hidden node has visible children, and an alias gives a child another
// kind. The library's cursor makes a node of each one that it meets, and remembers how to go back, although most are
// tokens that nobody asks for.

#include "languages/syntax/tree_walk.hpp"

#include <vector>

#include <src/language.h>  // tree-sitter's own: how a tree is stored
#include <src/subtree.h>
#include <src/tree.h>

namespace cohort::languages {

namespace {

/// The children of one node that are still to be visited.
struct siblings {
  const Subtree* next;
  const Subtree* end;
  const TSSymbol* aliases;  ///< One for each child, except comments and the like; null: none.
  Length start;             ///< Of `next`, or of the parent before the first child.
  uint32_t level;
  const Subtree* parent;
  Length parent_start;
  TSSymbol parent_alias;
  bool first = true;
};

siblings children_of(const TSLanguage* grammar, const Subtree& parent, Length start, TSSymbol alias, uint32_t level) {
  const auto* children = ts_subtree_children(parent);
  return {children,
          children + ts_subtree_child_count(parent),
          ts_language_alias_sequence(grammar, parent.ptr->production_id),
          start,
          level,
          &parent,
          start,
          alias};
}

TSSymbol take_alias(siblings& among, Subtree child) noexcept {
  if (among.aliases == nullptr || ts_subtree_extra(child)) return 0;
  return *among.aliases++;
}

}  // namespace

class tree_walker {
 public:
  tree_walker(const TSTree& tree, const grammar_rules& rules, uint32_t wanted)
      : tree_(tree), rules_(rules), wanted_(wanted) {}

  template <class Enter>
  void run(const Enter& enter) {
    const node_ancestors around{*this};
    const auto meet = [&](const Subtree& one, Length start, TSSymbol alias, uint32_t& level) {
      const auto symbol = ts_language_public_symbol(tree_.language, alias != 0 ? alias : ts_subtree_symbol(one));
      const auto roles = rules_.roles_of(symbol);
      return (roles & wanted_) == 0 || enter(ts_node_new(&tree_, &one, start, alias), roles, level, around);
    };
    const auto start = ts_subtree_padding(tree_.root);
    uint32_t top = 0;
    if (!meet(tree_.root, start, 0, top) || ts_subtree_child_count(tree_.root) == 0) return;
    open_.push_back(children_of(tree_.language, tree_.root, start, 0, top));
    while (!open_.empty()) {
      auto& among = open_.back();
      if (among.next == among.end) {
        open_.pop_back();
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
      open_.push_back(children_of(tree_.language, child, here, alias, level));
    }
  }

  [[nodiscard]] TSNode ancestor(size_t above) const noexcept {
    constexpr size_t most_hidden = 64;
    for (size_t i = 0; i < open_.size() && i < most_hidden; ++i) {
      const auto& one = open_[open_.size() - 1 - i];
      const bool visible = one.parent_alias != 0 || ts_subtree_visible(*one.parent);
      if (visible && above-- == 0) return ts_node_new(&tree_, one.parent, one.parent_start, one.parent_alias);
    }
    return {};
  }

 private:
  const TSTree& tree_;
  const grammar_rules& rules_;
  uint32_t wanted_;
  std::vector<siblings> open_;
};

TSNode node_ancestors::at(size_t above) const noexcept { return walker_.ancestor(above); }

void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const node_visitor& enter) {
  tree_walker{tree, rules, wanted}.run(
      [&](TSNode node, uint32_t roles, uint32_t& level, const node_ancestors&) { return enter(node, roles, level); });
}

void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const path_visitor& enter) {
  tree_walker{tree, rules, wanted}.run(enter);
}

bool is_shallow(const TSTree& tree, size_t most) {
  struct range {
    const Subtree* next;
    const Subtree* end;
  };
  const auto below = [](const Subtree& one) {
    const auto* children = ts_subtree_children(one);
    return range{children, children + ts_subtree_child_count(one)};
  };
  std::vector<range> open;
  if (ts_subtree_child_count(tree.root) > 0) open.push_back(below(tree.root));
  while (!open.empty()) {
    auto& among = open.back();
    if (among.next == among.end) {
      open.pop_back();
      continue;
    }
    const auto& child = *among.next++;
    if (ts_subtree_child_count(child) == 0) continue;
    if (open.size() == most) return false;
    open.push_back(below(child));
  }
  return true;
}

}  // namespace cohort::languages
