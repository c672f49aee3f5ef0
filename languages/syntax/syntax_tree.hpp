// Owns tree-sitter's C objects, and answers simple questions about nodes. For .cpp files only.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <tree_sitter/api.h>

#include "languages/grammars/grammar_rules.hpp"

namespace cohort::languages {

class tree_arena;

/// Frees a tree together with its memory, without a walk over the tree.
struct tree_deleter {
  tree_arena* arena = nullptr;  ///< Null: the tree is in malloc's blocks.
  void operator()(TSTree* tree) const noexcept;
};
using syntax_tree = std::unique_ptr<TSTree, tree_deleter>;

/// May be called by any thread; a tree is for one thread at a time. Null if the text breaks a bound: `why_not_parsed`
/// says which. Bounds: processor time (1 to 15 s, by length), memory, and depth, so that walking up and down in a tree
/// is linear in its size. Texts that people write stay far below each.
[[nodiscard]] syntax_tree parse_tree(const grammar_rules& rules, std::string_view text);

/// A sentence about the bound that this thread's last `parse_tree` met: "it takes the parser more than 2000 ms".
[[nodiscard]] const std::string& why_not_parsed() noexcept;

/// A cursor that frees itself.
class tree_cursor {
 public:
  explicit tree_cursor(TSNode node) noexcept : cursor_(ts_tree_cursor_new(node)) {}
  tree_cursor(const tree_cursor&) = delete;
  tree_cursor& operator=(const tree_cursor&) = delete;
  ~tree_cursor() { ts_tree_cursor_delete(&cursor_); }
  [[nodiscard]] TSNode node() const noexcept { return ts_tree_cursor_current_node(&cursor_); }
  [[nodiscard]] TSFieldId field() const noexcept { return ts_tree_cursor_current_field_id(&cursor_); }
  bool first_child() noexcept { return ts_tree_cursor_goto_first_child(&cursor_); }
  bool next_sibling() noexcept { return ts_tree_cursor_goto_next_sibling(&cursor_); }
  bool parent() noexcept { return ts_tree_cursor_goto_parent(&cursor_); }

 private:
  TSTreeCursor cursor_;
};

/// Calls `action(child, field)` for each child, tokens included; linear in their number.
template <class Action>
void each_child(TSNode node, Action action) {
  tree_cursor cursor{node};
  if (!cursor.first_child()) return;
  do action(cursor.node(), cursor.field());
  while (cursor.next_sibling());
}

/// Calls `enter(node)` for `root` and all below it, parents first; if `enter` returns false, the nodes below are
/// skipped. Iterative.
template <class Enter>
void each_node(TSNode root, Enter enter) {
  tree_cursor cursor{root};
  for (int depth = 0;;) {
    if (enter(cursor.node()) && cursor.first_child()) {
      ++depth;
      continue;
    }
    while (depth > 0 && !cursor.next_sibling()) {
      cursor.parent();
      --depth;
    }
    if (depth == 0) return;
  }
}

[[nodiscard]] inline std::string_view text_of(TSNode node, std::string_view text) noexcept {
  const auto begin = ts_node_start_byte(node);
  const auto end = ts_node_end_byte(node);
  return begin <= end && end <= text.size() ? text.substr(begin, end - begin) : std::string_view{};
}

[[nodiscard]] inline TSNode child_in(TSNode node, TSFieldId field) noexcept {
  return field == 0 ? TSNode{} : ts_node_child_by_field_id(node, field);
}

[[nodiscard]] inline bool exists(TSNode node) noexcept { return !ts_node_is_null(node); }

/// The node inside of parentheses and the like; the node itself if it is no such node.
[[nodiscard]] TSNode look_through(TSNode node, const grammar_rules& rules) noexcept;

/// `text` without the quotes around it.
[[nodiscard]] std::string_view unquoted(std::string_view text) noexcept;

}  // namespace cohort::languages
