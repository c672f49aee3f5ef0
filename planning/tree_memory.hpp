// Memory for tree-sitter: parsing makes and drops millions of small blocks, each on the thread that made it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cohort {

/// Gives tree-sitter lists of free blocks, one set for each thread. Call on each thread before its first parser is
/// made, so that the thread's lists are there until its last parser is gone; idempotent.
void install_tree_memory();

/// From now on this thread may take so many blocks before `tree_memory_spent` says so. More are still given.
void limit_tree_memory(uint64_t blocks) noexcept;

/// Not zero once this thread's blocks are spent; a parser's cancellation flag. Lives as long as the thread.
[[nodiscard]] const size_t* tree_memory_spent() noexcept;

}  // namespace cohort
