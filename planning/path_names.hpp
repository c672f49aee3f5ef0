// Parts of a path that is relative to the project and has '/' between its folders.
#pragma once

#include <string_view>

namespace cohort {

/// "a/b/cart.py" -> "cart".
[[nodiscard]] std::string_view stem_of(std::string_view path) noexcept;
/// "a/b/cart.py" -> "a/b"; empty at the top.
[[nodiscard]] std::string_view folder_of(std::string_view path) noexcept;
/// "a/b/cart.py" -> "cart.py".
[[nodiscard]] std::string_view name_of(std::string_view path) noexcept;
/// "a/b/cart.test.ts" -> ".ts"; empty without a dot in the name.
[[nodiscard]] std::string_view extension_of(std::string_view path) noexcept;

}  // namespace cohort
