// Our errors across actors: code and text travel in a caf::error and come back.
#pragma once

#include <caf/error.hpp>

#include "base/error.hpp"

namespace cohort::actors {

[[nodiscard]] caf::error to_caf(const error& problem);

/// A foreign error (a dead receiver, a timeout of the framework) becomes `ec::worker_lost`.
[[nodiscard]] error from_caf(const caf::error& problem);

}  // namespace cohort::actors
