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

/// `text` with each line "@@ 3000 namespace a{" replaced by 3000 times what follows the number: what is small in the
/// corpus and large in effect.
inline std::string grown(std::string_view text) {
  constexpr size_t most_times = 8'000;
  constexpr size_t most_bytes = 60'000;
  constexpr std::string_view mark = "@@ ";
  std::string result;
  while (!text.empty()) {
    const bool last = text.find('\n') == std::string_view::npos;
    auto line = take_line(text);
    if (!line.starts_with(mark)) {
      result += line;
      if (!last) result += '\n';
      continue;
    }
    line.remove_prefix(mark.size());
    size_t times = 0;
    while (!line.empty() && line.front() >= '0' && line.front() <= '9' && times < most_times) {
      times = times * 10 + static_cast<size_t>(line.front() - '0');
      line.remove_prefix(1);
    }
    if (line.starts_with(' ')) line.remove_prefix(1);
    for (size_t i = 0; i < times && i < most_times && result.size() + line.size() < most_bytes; ++i) result += line;
  }
  return result;
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
