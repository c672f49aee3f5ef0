// How the attempt stood before and after tells what the report changed.

#include "actors/late_record.hpp"

namespace cohort {

expected<late_outcome> record_late(ledger& book, const run_context& context, const late_report& late) {
  const auto& report = late.report;
  const auto before = book.standing(late.run, report.task, report.attempt);
  if (!before) return tl::unexpected{before.error()};
  late_outcome outcome;
  outcome.batch = before->batch;
  outcome.settled = before->charged;
  const auto* model = context.find_model(before->model);
  if (report.answered && model == nullptr) {
    outcome.taken = false;
    return outcome;
  }
  const auto cost = report.answered ? cost_of(report.answer.usage, *model) : nano_dollars{};
  const auto fresh =
      report.answered
          ? book.record(late.run,
                        attempt_done{report.task, report.attempt, report.lease, report.answer, cost, model->id})
          : book.record(late.run, attempt_failed{report.task, report.attempt, report.lease, report.failure});
  if (!fresh) return tl::unexpected{fresh.error()};
  const auto after = book.standing(late.run, report.task, report.attempt);
  if (!after) return tl::unexpected{after.error()};
  outcome.fresh = *fresh;
  outcome.used = *fresh && before->state != task_state::answered && after->state == task_state::answered;
  outcome.cost = report.answered ? cost : after->charged;
  if (report.answered) outcome.model = model->id;
  return outcome;
}

}  // namespace cohort
