// A made-up project for measuring: Python, JavaScript and TypeScript files that import each other and branch.
#pragma once

#include <cstdint>
#include <filesystem>

#include "base/error.hpp"

namespace cohort::bench {

/// Writes `files` files of about `lines` lines below `root`, the same for the same arguments. One in ten is a test.
[[nodiscard]] expected<void> write_synthetic_project(const std::filesystem::path& root, uint32_t files, uint32_t lines);

}  // namespace cohort::bench
