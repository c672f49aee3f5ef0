// Memory for tree-sitter: parsing makes and drops millions of small blocks, each on the thread that made it.
#pragma once

namespace cohort {

/// Gives tree-sitter lists of free blocks, one set for each thread. Call before the first parser is made; idempotent.
void install_tree_memory();

}  // namespace cohort
