// Walks over all nodes of a tree. The library's cursor needed a sixth of the time of parsing for that. For .cpp files
// only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include <tree_sitter/api.h>

#include "languages/grammars/grammar_rules.hpp"

namespace cohort::languages {

/// The visible nodes around the one that is visited. If the library is asked for a node's parent, it searches from the
/// root.
class node_ancestors {
 public:
  /// 0: the parent. A null node if there are not so many, or if they are hidden behind very many others.
  [[nodiscard]] TSNode at(size_t above) const noexcept;

 private:
  friend class tree_walker;
  explicit node_ancestors(const class tree_walker& walker) noexcept : walker_(walker) {}
  const class tree_walker& walker_;
};

/// Called with a node, its roles, and the level from its parent, which it may change for the nodes below. False: the
/// nodes below are skipped.
using node_visitor = std::function<bool(TSNode node, uint32_t roles, uint32_t& level)>;

/// The same, with the nodes around the node.
using path_visitor = std::function<bool(TSNode node, uint32_t roles, uint32_t& level, const node_ancestors& around)>;

/// Calls `enter` for each visible node that has one of the roles `wanted`, parents before children, in the order of the
/// text. The top level is 0. Iterative: source may nest deeper than our stack.
void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const node_visitor& enter);
void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const path_visitor& enter);

/// True if no node is deeper than `most` levels, hidden nodes included.
[[nodiscard]] bool is_shallow(const TSTree& tree, size_t most);

}  // namespace cohort::languages
