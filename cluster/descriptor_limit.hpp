// Says how many descriptors this process may have, and how many of them connections of other machines may take.
#pragma once

#include <cstddef>

namespace cohort::cluster {

/// Raises the limit to what the system allows, within reason.
void raise_descriptor_limit() noexcept;

/// How many descriptors connections may take. A part of those that are free now is reserved for the run, which needs
/// them for files and for its own calls.
[[nodiscard]] size_t descriptors_to_lend();

}  // namespace cohort::cluster
