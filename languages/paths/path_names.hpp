// Splits and joins paths that are relative to the project and have '/' between their folders.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cohort::languages {

constexpr size_t longest_path = 4096;  ///< In bytes; the system allows no longer paths.

/// "a/b/cart.py" -> "cart".
[[nodiscard]] std::string_view stem_of(std::string_view path) noexcept;
/// "a/b/cart.py" -> "a/b"; empty at the top.
[[nodiscard]] std::string_view folder_of(std::string_view path) noexcept;
/// "a/b/cart.py" -> "cart.py".
[[nodiscard]] std::string_view name_of(std::string_view path) noexcept;
/// "a/b/cart.test.ts" -> ".ts"; empty without a dot in the name.
[[nodiscard]] std::string_view extension_of(std::string_view path) noexcept;

/// "a" + "b/c"; either may be empty.
[[nodiscard]] std::string joined_path(std::string_view folder, std::string_view rest);
/// `folder` + "./a/../b", without "." and ".."; empty if the result is outside of the project or longer than any path,
/// "." if it is the project itself.
[[nodiscard]] std::string normal_path(std::string_view folder, std::string_view path);

}  // namespace cohort::languages
