// A walk over all nodes of a tree, for which the library's cursor needed a sixth of the time that parsing takes.
// For .cpp files only.
#pragma once

#include <cstdint>
#include <functional>

#include <tree_sitter/api.h>

#include "planning/grammar_rules.hpp"

namespace cohort {

/// Called with a node, its roles, and the level that its parent left, which it may change for what is below.
/// False: what is below does not matter.
using node_visitor = std::function<bool(TSNode node, uint32_t roles, uint32_t& level)>;

/// Calls `enter` for each visible node that has one of the roles `wanted`, parents before children, in the order of the
/// text. The top level is 0. Iterative: source may nest deeper than our stack.
void walk_tree(const TSTree& tree, const grammar_rules& rules, uint32_t wanted, const node_visitor& enter);

}  // namespace cohort
