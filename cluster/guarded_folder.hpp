// Checks whether certificates and keys are where nobody else can replace them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace cohort::cluster {

/// `ec::permission_denied`, with what to do, if others may write in `folder`, or in a folder above it without a sticky
/// bit, or if it belongs to another user. For a folder that does not exist yet, the folder in which it would be made is
/// checked.
[[nodiscard]] expected<void> check_guarded(const std::filesystem::path& folder);

/// The same for a file in such a folder: it must be a regular file of this user or of root that nobody else may write.
/// `secret`: nobody else may read it, either. A missing file is not an error here.
[[nodiscard]] expected<void> check_guarded_file(const std::filesystem::path& file, bool secret);

}  // namespace cohort::cluster
