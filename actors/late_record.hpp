// Storing what nobody waits for any more: the report of a node that was thought lost, also from an earlier run.
#pragma once

#include "actors/run_context.hpp"
#include "messages/cluster.hpp"
#include "state/ledger.hpp"

namespace cohort {

/// Within a transaction of `book`. An answer of a model that this program cannot price is not taken; any other is
/// priced by the model that was asked.
[[nodiscard]] expected<late_outcome> record_late(ledger& book, const run_context& context, const late_report& late);

}  // namespace cohort
