// A block carries its size class in front. Small blocks come from slabs and go back to a list of the thread that frees
// them; slabs are kept by the process for the next trees. Large blocks are malloc's.

#include "planning/tree_memory.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include <tree_sitter/api.h>

namespace cohort {

namespace {

// Address sanitizers watch malloc's blocks, not parts of a slab: with one, tree-sitter keeps to malloc.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool watched = true;
#elif defined(__has_feature)
constexpr bool watched = __has_feature(address_sanitizer);
#else
constexpr bool watched = false;
#endif

constexpr size_t step = 32;
constexpr size_t classes = 32;  ///< Blocks of up to 1 KiB, header included.
constexpr size_t slab_bytes = size_t{256} * 1024;
constexpr size_t large = ~size_t{0};

/// In front of each block; keeps what follows aligned for everything.
struct alignas(16) header {
  size_t size_class;  ///< `large`: from malloc.
  size_t bytes;       ///< That can be used.
};

struct free_block {
  free_block* next;
};

/// What threads that ended left behind, for the next ones.
struct leftovers {
  std::mutex guard;
  free_block* lists[classes] = {};
};

leftovers& left_behind() {
  static auto* kept = new leftovers;  // never destroyed: threads may end after main
  return *kept;
}

struct thread_memory {
  free_block* lists[classes] = {};
  char* slab = nullptr;
  size_t slab_left = 0;

  thread_memory() {
    auto& kept = left_behind();
    const std::lock_guard lock{kept.guard};
    std::memcpy(lists, kept.lists, sizeof lists);
    std::memset(kept.lists, 0, sizeof kept.lists);
  }
  thread_memory(const thread_memory&) = delete;
  thread_memory& operator=(const thread_memory&) = delete;
  ~thread_memory() {
    auto& kept = left_behind();
    const std::lock_guard lock{kept.guard};
    for (size_t i = 0; i < classes; ++i)
      while (lists[i] != nullptr) {
        auto* block = lists[i];
        lists[i] = block->next;
        block->next = kept.lists[i];
        kept.lists[i] = block;
      }
  }
};

thread_memory& memory() {
  thread_local thread_memory mine;
  return mine;
}

void* take_large(size_t bytes) {
  auto* block = static_cast<header*>(std::malloc(bytes + sizeof(header)));
  if (block == nullptr) std::abort();  // tree-sitter has no way on without memory either
  *block = {large, bytes};
  return block + 1;
}

void* take(size_t bytes) {
  const size_t size_class = (bytes + sizeof(header) + step - 1) / step;
  if (bytes > classes * step || size_class >= classes) return take_large(bytes);
  auto& mine = memory();
  header* block = nullptr;
  if (auto* known = mine.lists[size_class]; known != nullptr) {
    mine.lists[size_class] = known->next;
    block = reinterpret_cast<header*>(known) - 1;
  } else {
    const size_t whole = size_class * step;
    if (mine.slab_left < whole) {
      mine.slab = static_cast<char*>(std::malloc(slab_bytes));
      if (mine.slab == nullptr) std::abort();
      mine.slab_left = slab_bytes;
    }
    block = reinterpret_cast<header*>(mine.slab);
    mine.slab += whole;
    mine.slab_left -= whole;
  }
  *block = {size_class, size_class * step - sizeof(header)};
  return block + 1;
}

void give_back(void* pointer) {
  if (pointer == nullptr) return;
  auto* block = static_cast<header*>(pointer) - 1;
  if (block->size_class == large) return std::free(block);
  auto& mine = memory();
  auto* freed = static_cast<free_block*>(pointer);
  freed->next = mine.lists[block->size_class];
  mine.lists[block->size_class] = freed;
}

void* take_zeroed(size_t count, size_t bytes) {
  size_t whole = 0;
  if (__builtin_mul_overflow(count, bytes, &whole)) std::abort();
  auto* block = take(whole);
  std::memset(block, 0, whole);
  return block;
}

void* take_more(void* pointer, size_t bytes) {
  if (pointer == nullptr) return take(bytes);
  auto* block = static_cast<header*>(pointer) - 1;
  if (block->bytes >= bytes) return pointer;
  if (block->size_class == large) {
    block = static_cast<header*>(std::realloc(block, bytes + sizeof(header)));
    if (block == nullptr) std::abort();
    block->bytes = bytes;
    return block + 1;
  }
  auto* grown = take(bytes);
  std::memcpy(grown, pointer, block->bytes);
  give_back(pointer);
  return grown;
}

}  // namespace

void install_tree_memory() {
  if constexpr (watched) return;
  static const bool done = [] {
    ts_set_allocator(take, take_zeroed, take_more, give_back);
    return true;
  }();
  static_cast<void>(done);
  static_cast<void>(memory());
}

}  // namespace cohort
