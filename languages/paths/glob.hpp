// Matches globs on paths with '/' separators: `*` and `?` within one component, `**` over components, `[a-z]`; `{a,b}`
// is not special.
#pragma once

#include <cstdint>
#include <string_view>

namespace cohort::languages {

/// True if the pattern matches the whole `path`. A pattern that takes more than a million steps, which nobody writes,
/// matches nothing.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view path) noexcept;

/// The same; subtracts its steps from `steps`, for callers that match many foreign patterns. At 0 nothing matches.
[[nodiscard]] bool glob_match(std::string_view pattern, std::string_view path, uint64_t& steps) noexcept;

/// Matches as the options of the command line do: a pattern without '/' is tried on each component of the path ("*.py",
/// "vendor"). A pattern with '/' is tried on the whole path, and also matches everything below a folder that it matches
/// ("src/old").
[[nodiscard]] bool path_filter_match(std::string_view pattern, std::string_view path) noexcept;

}  // namespace cohort::languages
