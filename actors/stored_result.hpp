// Results made of the answers in the ledger.
#pragma once

#include <string>

#include "messages/task.hpp"
#include "state/ledger.hpp"

namespace cohort {

/// What is usable in a stored answer. Fails with the class of its stop reason, or as the craft does.
[[nodiscard]] expected<std::string> usable_text(const task_craft& craft, const task_record& answered);

/// What `target` of `run` holds, made of the stored answers of its parts. Fails with `ec::no_code` if none of them is
/// usable, or as the ledger and the craft do.
[[nodiscard]] expected<std::string> content_from_answers(const ledger& book, const task_craft& craft, int64_t run,
                                                         const std::string& target);

}  // namespace cohort
