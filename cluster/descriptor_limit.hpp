// How many descriptors this process may have, and how many of them strangers may take.
#pragma once

#include <cstddef>

namespace cohort::cluster {

/// Raises the limit to what the system allows, within reason.
void raise_descriptor_limit() noexcept;

/// How many descriptors connections may take: of those that are free now a part stays for what runs, which needs them
/// for files and for its own calls.
[[nodiscard]] size_t descriptors_to_lend();

}  // namespace cohort::cluster
