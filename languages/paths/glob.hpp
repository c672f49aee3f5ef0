// Globs on paths with '/' separators: `*` and `?` within one part, `**` over parts, `[a-z]`, `{a,b}` is not special.
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort::languages {

/// Whether the whole `path` fits. A pattern that takes more than a million steps, which nobody writes, fits nothing.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view path) noexcept;

/// The same; takes its steps from `steps`, for who matches foreign patterns many times. At 0 nothing fits.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view path, uint64_t& steps) noexcept;

/// As the command line means it: a pattern without '/' is tried on each part of the path ("*.py", "vendor"); one with
/// '/' on the whole path, and it also covers everything below a folder that it fits ("src/old").
[[nodiscard]] bool path_filter_match(std::string_view pattern, std::string_view path) noexcept;

}  // namespace cohort::languages
