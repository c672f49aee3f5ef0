// How the attempt stood before and after tells what the report changed.

#include "actors/attempts/late_answers.hpp"

#include "actors/nodes/node_table.hpp"
#include "base/log.hpp"
#include "messages/priced_answer.hpp"

namespace cohort::actors {

std::string refusal_of(const late_report& late, const state::attempt_state& state) {
  if (state.holder.empty() || node_of(state.holder) != late.node) return "it was not given to this node";
  if (late.report.answered && !state.owed && !state.answered) return "it was given back before, unsent";
  return {};
}

expected<late_outcome> record_late(state::ledger& ledger, const run_context& context, const late_report& late) {
  const auto& report = late.report;
  const auto before = ledger.attempt_state_of(late.run, report.task, report.attempt);
  if (!before) return tl::unexpected{before.error()};
  late_outcome outcome;
  outcome.batch = before->batch;
  outcome.settled = before->charged;
  outcome.refusal = refusal_of(late, *before);
  const auto* model = context.find_model(before->model);
  if (!outcome.refusal.empty() || (report.answered && model == nullptr)) {
    outcome.taken = false;
    return outcome;
  }
  if (!before->owed) return outcome;  // Its outcome is here already: the node may forget it.
  nano_dollars cost;
  auto answer = report.answer;
  if (report.answered) {
    const auto priced = price_of(answer, std::nullopt, *model, before->reserved);
    cost = priced.cost;
    answer.usage = priced.usage;
    if (priced.doubt != usage_doubt::none)
      log_warning("the usage of a late answer of {} is not believed ({}); it is charged with its reservation of {}",
                  model->id, sentence(priced.doubt), exact_dollars(cost));
  }
  const auto fresh =
      report.answered
          ? ledger.record(late.run, attempt_done{report.task, report.attempt, report.lease, answer, cost, model->id})
          : ledger.record(late.run, attempt_failed{report.task, report.attempt, report.lease, report.failure});
  if (!fresh) return tl::unexpected{fresh.error()};
  const auto after = ledger.attempt_state_of(late.run, report.task, report.attempt);
  if (!after) return tl::unexpected{after.error()};
  outcome.fresh = *fresh;
  outcome.used = *fresh && before->state != task_state::answered && after->state == task_state::answered;
  outcome.cost = report.answered ? cost : after->charged;
  if (report.answered) outcome.model = model->id;
  return outcome;
}

}  // namespace cohort::actors
