// Globs on paths with '/' separators: `*` and `?` within one part, `**` over parts, `[a-z]`, `{a,b}` is not special.
#pragma once

#include <string_view>

namespace cohort {

/// Whether the whole `path` fits. Linear in memory, at worst quadratic in time.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view path) noexcept;

/// As the command line means it: a pattern without '/' is tried on each part of the path ("*.py", "vendor"); one with
/// '/' on the whole path, and it also covers everything below a folder that it fits ("src/old").
[[nodiscard]] bool path_filter_match(std::string_view pattern, std::string_view path) noexcept;

}  // namespace cohort
