// Storing what nobody waits for any more: the report of a node that was thought lost, also from an earlier run.
#pragma once

#include "actors/messages/nodes.hpp"
#include "actors/run/run_context.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::actors {

/// Why a late report counts for nothing; empty if it counts. An attempt belongs to the node that it was given to, and
/// is owed until its outcome is known: what a node has given back it cannot answer any more, for the money is granted
/// to others.
[[nodiscard]] std::string refusal_of(const late_report& late, const state::attempt_state& state);

/// Within a transaction of `ledger`. An answer of a model that this program cannot price is not taken; any other is
/// priced by the model that was asked. A usage that cannot be true leaves the attempt charged with its reservation.
[[nodiscard]] expected<late_outcome> record_late(state::ledger& ledger, const run_context& context,
                                                 const late_report& late);

}  // namespace cohort::actors
