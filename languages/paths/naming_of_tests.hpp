// Decides which files are tests, by the conventions of their language.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "languages/grammars/language.hpp"

namespace cohort::languages {

/// True for tests and for all files in test folders; `path` is relative to the project.
[[nodiscard]] bool is_test_path(const language& lang, std::string_view path);

/// The stems after which a test with this path may be named: "tests/test_cart.py" -> "cart". Empty if the name follows
/// no pattern.
[[nodiscard]] std::vector<std::string> tested_stems(const language& lang, std::string_view path);

}  // namespace cohort::languages
