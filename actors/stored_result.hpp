// Results made of the answers in the ledger.
#pragma once

#include <string>

#include "messages/task.hpp"
#include "state/ledger.hpp"

namespace cohort {

/// What is usable in a stored answer. Fails with the class of its stop reason, or as the craft does.
[[nodiscard]] expected<std::string> usable_text(const task_craft& craft, const task_record& answered);

/// How the name ends of a file that one part of several has for itself: "part2".
[[nodiscard]] std::string part_ending(const task_spec& part);

/// What the file holds that `task` of `run` delivered, made of stored answers: its own, or those of all parts that are
/// merged with it. Fails with `ec::no_code` if none of them is usable, or as the ledger and the craft do.
[[nodiscard]] expected<std::string> content_from_answers(const ledger& book, const task_craft& craft, int64_t run,
                                                         const std::string& target, const task_id& task);

}  // namespace cohort
