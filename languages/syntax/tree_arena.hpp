// Provides memory for tree-sitter: parsing makes and drops millions of small blocks, and a tree is freed as a whole.
#pragma once

#include <cstddef>
#include <memory>

namespace cohort::languages {

/// The memory of one tree and of the parser that made it. Blocks that tree-sitter drops are used again; all others are
/// freed with the arena. For one thread at a time.
class tree_arena {
 public:
  tree_arena();
  tree_arena(const tree_arena&) = delete;
  tree_arena& operator=(const tree_arena&) = delete;
  ~tree_arena();

  [[nodiscard]] void* take(size_t bytes);
  void give_back(void* block) noexcept;
  /// Bytes that the system has given for the blocks of this tree.
  [[nodiscard]] size_t bytes() const noexcept;
  /// Drops all blocks, and keeps a little memory for the next ones.
  void clear() noexcept;

 private:
  struct parts;
  std::unique_ptr<parts> parts_;
};

/// To be called by any thread before tree-sitter takes its first block that lives longer than a tree: a compiled query.
void install_tree_memory();

/// Null under an address sanitizer, which watches malloc's blocks: then tree-sitter keeps to malloc, and trees must be
/// deleted.
[[nodiscard]] std::unique_ptr<tree_arena> take_arena();
/// To be called when the arena's tree is gone. This thread's next tree uses the arena again.
void return_arena(std::unique_ptr<tree_arena> arena) noexcept;

/// While this object lives, tree-sitter's memory on this thread comes from `arena`; if that is null, from malloc.
class arena_scope {
 public:
  explicit arena_scope(tree_arena* arena) noexcept;
  arena_scope(const arena_scope&) = delete;
  arena_scope& operator=(const arena_scope&) = delete;
  ~arena_scope();
};

}  // namespace cohort::languages
