// What the fuzzers share: a claim that must hold, and a file in memory for functions that read files.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include <sys/mman.h>
#include <unistd.h>

namespace cohort::fuzz {

/// Ends the process with `claim` if it does not hold; libFuzzer then keeps the input.
inline void holds(bool true_one, std::string_view claim) {
  if (true_one) return;
  std::fprintf(stderr, "a claim does not hold: %.*s\n", static_cast<int>(claim.size()), claim.data());
  std::abort();
}

/// A file without a disk, so that what reads by path is tested through its own door.
class memory_file {
 public:
  memory_file() : descriptor_(memfd_create("fuzz", 0)) { holds(descriptor_ >= 0, "memfd_create works"); }
  memory_file(const memory_file&) = delete;
  memory_file& operator=(const memory_file&) = delete;
  ~memory_file() { close(descriptor_); }

  void write(std::string_view content) const {
    holds(ftruncate(descriptor_, 0) == 0, "the file can be emptied");
    const auto written = pwrite(descriptor_, content.data(), content.size(), 0);
    holds(written >= 0 && static_cast<size_t>(written) == content.size(), "the file can be written");
  }
  [[nodiscard]] std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

 private:
  int descriptor_;
};

/// Cuts the first line off `text`; without a line break all of it.
inline std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line;
}

/// A number that depends on the whole input: how to cut it, which switches to set.
inline uint64_t hash_of(std::string_view text) noexcept {
  uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3ULL;
  return hash ^ (hash >> 29U);
}

inline std::string_view text_of_input(const uint8_t* data, size_t size) noexcept {
  return {reinterpret_cast<const char*>(data), size};
}

}  // namespace cohort::fuzz
