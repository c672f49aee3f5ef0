// The content of a result made again from the answers in the ledger.
#pragma once

#include <string>

#include "messages/task.hpp"
#include "state/ledger.hpp"

namespace cohort {

/// What `target` of `run` holds, made of the stored answers of its parts. Fails with `ec::no_code` if none of them is
/// usable, or as the ledger and the craft do.
[[nodiscard]] expected<std::string> content_from_answers(const ledger& book, const task_craft& craft, int64_t run,
                                                         const std::string& target);

}  // namespace cohort
