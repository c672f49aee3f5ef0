// Memory for tree-sitter: parsing makes and drops millions of small blocks, and a tree is dropped as a whole.
#pragma once

#include <cstddef>
#include <memory>

namespace cohort::languages {

/// The memory of one tree and of the parser that made it. Blocks that tree-sitter drops are used again; all others go
/// with the region. For one thread at a time.
class tree_arena {
 public:
  tree_arena();
  tree_arena(const tree_arena&) = delete;
  tree_arena& operator=(const tree_arena&) = delete;
  ~tree_arena();

  [[nodiscard]] void* take(size_t bytes);
  void give_back(void* block) noexcept;
  /// Bytes that were taken from the system for the blocks of this tree.
  [[nodiscard]] size_t bytes() const noexcept;
  /// Forgets all blocks, and keeps a little memory for the next ones.
  void clear() noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// To be called before tree-sitter's first block is taken that lives longer than a tree: a compiled query. Any thread.
void install_tree_memory();

/// Null under an address sanitizer, which watches malloc's blocks: then tree-sitter keeps to malloc, and trees must be
/// deleted.
[[nodiscard]] std::unique_ptr<tree_arena> take_arena();
/// Its tree is gone. This thread's next tree takes the region again.
void return_arena(std::unique_ptr<tree_arena> arena) noexcept;

/// While it lives, tree-sitter's memory on this thread comes from `region`; null: from malloc, as without it.
class arena_scope {
 public:
  explicit arena_scope(tree_arena* arena) noexcept;
  arena_scope(const arena_scope&) = delete;
  arena_scope& operator=(const arena_scope&) = delete;
  ~arena_scope();
};

}  // namespace cohort::languages
