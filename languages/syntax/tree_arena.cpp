// Allocates blocks for tree-sitter. A block has its owner and its size in front. Arenas cut blocks off slabs, by size
// class, and keep a list of free ones for each class. Blocks that are taken while no arena is in use, such as a cursor,
// come from malloc.

#include "languages/syntax/tree_arena.hpp"

#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include <tree_sitter/api.h>

namespace cohort::languages {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool watched = true;
#elif defined(__has_feature)
constexpr bool watched = __has_feature(address_sanitizer);
#else
constexpr bool watched = false;
#endif

constexpr size_t step = 32;
constexpr size_t stepped_classes = 32;  ///< Up to 1 KiB, header included; then each class is twice the one before.
constexpr size_t classes = stepped_classes + 48;
constexpr size_t slab_bytes = size_t{256} * 1024;
constexpr size_t slabs_kept = 8;    ///< By an arena without a tree.
constexpr size_t regions_kept = 4;  ///< By a thread.

/// In front of each block; keeps the block aligned for any type.
struct alignas(16) header {
  tree_arena* owner;  ///< Null: malloc.
  size_t bytes;       ///< That can be used.
};

struct free_block {
  free_block* next;
};

constexpr size_t class_of(size_t whole) noexcept {
  if (whole <= stepped_classes * step) return (whole + step - 1) / step;
  return stepped_classes + static_cast<size_t>(std::bit_width((whole - 1) / (stepped_classes * step)));
}

constexpr size_t bytes_of(size_t size_class) noexcept {
  if (size_class <= stepped_classes) return size_class * step;
  return (stepped_classes * step) << (size_class - stepped_classes);
}

static_assert(bytes_of(class_of(1024)) == 1024 && bytes_of(class_of(1025)) == 2048 && bytes_of(class_of(2049)) == 4096);

thread_local tree_arena* current = nullptr;

header* head_of(void* block) noexcept { return static_cast<header*>(block) - 1; }

/// tree-sitter cannot continue without memory either.
void* from_malloc(size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) std::abort();
  return memory;
}

void* take(size_t bytes) {
  if (bytes > SIZE_MAX / 4) std::abort();
  if (current != nullptr) return current->take(bytes);
  auto* head = static_cast<header*>(from_malloc(bytes + sizeof(header)));
  *head = {nullptr, bytes};
  return head + 1;
}

void give_back(void* block) {
  if (block == nullptr) return;
  auto* head = head_of(block);
  if (head->owner == nullptr) return std::free(head);
  head->owner->give_back(block);
}

void* take_zeroed(size_t count, size_t bytes) {
  size_t whole = 0;
  if (__builtin_mul_overflow(count, bytes, &whole)) std::abort();
  auto* block = take(whole);
  std::memset(block, 0, whole);
  return block;
}

void* take_more(void* block, size_t bytes) {
  if (block == nullptr) return take(bytes);
  const auto present = head_of(block)->bytes;
  if (present >= bytes) return block;
  auto* grown = take(bytes);
  std::memcpy(grown, block, present);
  give_back(block);
  return grown;
}

std::vector<std::unique_ptr<tree_arena>>& spare_arenas() {
  thread_local std::vector<std::unique_ptr<tree_arena>> spare;
  return spare;
}

}  // namespace

struct tree_arena::parts {
  struct slab {
    std::unique_ptr<char, decltype(&std::free)> memory;
    size_t bytes;
  };
  free_block* lists[classes] = {};
  std::vector<slab> slabs;
  size_t used = 0;  ///< Slabs in use; the last of them is being cut.
  size_t used_bytes = 0;
  char* next = nullptr;
  size_t left = 0;

  void* cut(size_t whole) {
    if (left < whole) open_slab(whole);
    left -= whole;
    return std::exchange(next, next + whole);
  }

  void open_slab(size_t least) {
    if (used == slabs.size() || slabs[used].bytes < least) {
      const auto bytes = least > slab_bytes ? least : slab_bytes;
      slabs.insert(slabs.begin() + static_cast<std::ptrdiff_t>(used),
                   slab{{static_cast<char*>(from_malloc(bytes)), &std::free}, bytes});
    }
    next = slabs[used].memory.get();
    left = slabs[used].bytes;
    used_bytes += left;
    ++used;
  }
};

tree_arena::tree_arena() : parts_(std::make_unique<parts>()) {}

tree_arena::~tree_arena() = default;

void* tree_arena::take(size_t bytes) {
  const auto size_class = class_of(bytes + sizeof(header));
  if (auto*& known = parts_->lists[size_class]; known != nullptr) return std::exchange(known, known->next);
  const auto whole = bytes_of(size_class);
  auto* head = static_cast<header*>(parts_->cut(whole));
  *head = {this, whole - sizeof(header)};
  return head + 1;
}

void tree_arena::give_back(void* block) noexcept {
  const auto size_class = class_of(head_of(block)->bytes + sizeof(header));
  auto* freed = static_cast<free_block*>(block);
  freed->next = std::exchange(parts_->lists[size_class], freed);
}

size_t tree_arena::bytes() const noexcept { return parts_->used_bytes; }

void tree_arena::clear() noexcept {
  auto& slabs = parts_->slabs;
  std::erase_if(slabs, [](const parts::slab& one) { return one.bytes > slab_bytes; });
  if (slabs.size() > slabs_kept) slabs.erase(slabs.begin() + slabs_kept, slabs.end());
  std::memset(parts_->lists, 0, sizeof parts_->lists);
  parts_->used = 0;
  parts_->used_bytes = 0;
  parts_->next = nullptr;
  parts_->left = 0;
}

void install_tree_memory() {
  if constexpr (watched) return;
  static const bool installed = (ts_set_allocator(languages::take, take_zeroed, take_more, languages::give_back), true);
  static_cast<void>(installed);
}

std::unique_ptr<tree_arena> take_arena() {
  if constexpr (watched) return nullptr;
  install_tree_memory();
  auto& spare = spare_arenas();
  if (spare.empty()) return std::make_unique<tree_arena>();
  auto arena = std::move(spare.back());
  spare.pop_back();
  return arena;
}

void return_arena(std::unique_ptr<tree_arena> arena) noexcept {
  if (!arena) return;
  arena->clear();
  if (auto& spare = spare_arenas(); spare.size() < regions_kept) spare.push_back(std::move(arena));
}

arena_scope::arena_scope(tree_arena* arena) noexcept { current = arena; }

arena_scope::~arena_scope() { current = nullptr; }

}  // namespace cohort::languages
