// Memory for tree-sitter: parsing makes and drops millions of small blocks, each on the thread that made it.
#pragma once

namespace cohort {

/// Gives tree-sitter lists of free blocks, one set for each thread. Call on each thread before its first parser is
/// made, so that the thread's lists are there until its last parser is gone; idempotent.
void install_tree_memory();

}  // namespace cohort
