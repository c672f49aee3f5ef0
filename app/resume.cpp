// Continues a stored run, or writes a new plan into the ledger.

#include "app/resume.hpp"

#include <fmt/format.h>

#include "app/reports/plan_report.hpp"
#include "app/stop_handler.hpp"
#include "base/text.hpp"
#include "state/batch_state_file.hpp"
#include "state/foreign_state.hpp"
#include "state/generated_files.hpp"

namespace cohort::app {

namespace {

/// Writes the tasks of a plan as rows.
class ledger_sink final : public plan_sink {
 public:
  explicit ledger_sink(state::ledger& ledger) : ledger_(ledger) {}
  expected<bool> was_delivered(const task_id& task) override { return ledger_.delivered_before(task); }
  expected<void> take(task_spec&& task) override { return ledger_.add_task(task); }

 private:
  state::ledger& ledger_;
};

/// Tells of the plan. False if it is not worth a run: without tasks, or where batching brings nothing.
bool is_worth_a_run(const project_context& context, const plan_outline& plan, notices& out) {
  out.planned(plan);
  const auto& verdict = plan.verdict;
  const bool worthless = verdict && verdict->benefit == planning::batching_benefit::none && !context.request.force;
  if (plan.tasks == 0 || worthless) {
    out.tell_lines(notice_kind::need_to_know, plan.tasks == 0 ? nothing_to_do(plan) : verdict->message);
    return false;
  }
  if (verdict && verdict->benefit == planning::batching_benefit::minimal)
    out.warn(verdict->message);
  else if (verdict)
    out.inform(verdict->message);
  return true;
}

/// Writes a new plan into the ledger. No run if there is nothing to do or batching brings nothing.
expected<std::optional<run_record>> plan_anew(const project_context& context, state::ledger& ledger,
                                              const resolved_run& how, stop_handler& stop, notices& out) {
  auto generated = state::generated_files(context.workspace, &ledger);
  if (!generated) return tl::unexpected{generated.error()};
  auto terms = terms_of(context, how.settings, how.model, true);
  terms.request.generated = std::move(*generated);
  auto delivered = ledger.delivered();
  if (!delivered) return tl::unexpected{delivered.error()};
  terms.request.delivered = std::move(*delivered);
  if (auto begun = ledger.begin_plan(how.settings, how.model.id); !begun) return tl::unexpected{begun.error()};
  ledger_sink sink{ledger};
  stop.begin_planning();
  const auto built = build_plan(terms, out, sink);
  stop.end_planning();
  if (!built) {
    ledger.abandon_plan();
    return tl::unexpected{built.error()};
  }
  if (!is_worth_a_run(context, built->outline, out)) {
    ledger.abandon_plan();
    return std::optional<run_record>{};
  }
  std::vector<uint32_t> batch_of;
  for (size_t batch = 0; batch < built->batches.size(); ++batch)
    batch_of.insert(batch_of.end(), built->batches[batch].count, static_cast<uint32_t>(batch));
  if (auto stored = ledger.commit_plan(batch_of); !stored) {
    ledger.abandon_plan();
    return tl::unexpected{stored.error()};
  }
  return ledger.newest_run();
}

/// Puts a `batch-state.json` without a ledger aside before a plan of ours replaces it.
expected<void> keep_foreign_state(const project_context& context, notices& out) {
  std::error_code ignored;
  if (!std::filesystem::exists(context.workspace.batch_state_path(), ignored)) return {};
  const auto archive = state::archive_batch_state(context.workspace);
  if (!archive) return tl::unexpected{archive.error()};
  out.announce(fmt::format("the batch-state.json that was found is kept in {}", archive->string()));
  return {};
}

/// Takes up the stored run where it is.
expected<ready_run> go_on(const project_context& context, state::ledger& ledger, run_record run, resolved_run how,
                          notices& out) {
  warn_of_frozen_plan(context, out);
  if (!state::batch_state_agrees(context.workspace.batch_state_path(), run))
    out.warn("batch-state.json was missing or did not agree with the ledger; it is built again");
  if (auto updated = ledger.update_run(run.id, how.settings, run_status::running); !updated)
    return tl::unexpected{updated.error()};
  const auto next = context.request.shows_batches
                        ? fmt::format(", batch {} of {} is next", run.next_batch() + 1, run.batches.size())
                        : std::string{};
  out.inform(fmt::format("continuing {}: {} of {} tasks are done{}", run.batch_id, run.tasks().final(),
                         run.tasks().total(), next));
  return ready_run{std::move(run), std::move(how)};
}

/// A plan that replaces one with paid answers that are not written yet would pay for them again.
expected<void> check_nothing_is_lost(const run_record& replaced) {
  if (replaced.tasks().answered == 0) return {};
  return fail(
      ec::usage,
      fmt::format("{} paid answers of the present plan are not written yet, and another plan would pay for them "
                  "again. Run the same command without the options that ask for another plan, which writes "
                  "them into '{}'; or give them up with --clean",
                  replaced.tasks().answered, printable(replaced.settings.output_directory, 1000)));
}

}  // namespace

void warn_of_frozen_plan(const project_context& context, notices& out) {
  const auto& request = context.request;
  if (request.gap_report || request.regenerate || !request.include.empty() || !request.exclude.empty())
    out.warn(
        "the plan that is continued is frozen; --include, --exclude, --gap-report and --regenerate count for the next "
        "one (--clean resets)");
}

void tell_of_another_plan(notices& out) {
  out.announce(
      "the settings ask for another plan; what is delivered stays, the rest is planned anew, and what was spent "
      "counts against --budget");
}

expected<void> refuse_if_ledger_was_lost(const project_context& context, const std::optional<run_record>& stored) {
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view && view.error().code == ec::state_newer) return tl::unexpected{view.error()};
  if (!view || stored || !view->ours || (view->completed_tasks == 0 && view->spent.count == 0)) return {};
  return fail(ec::state_corrupt,
              fmt::format("the ledger '{}' is gone, but batch-state.json tells of its run: {} of {} tasks done, {} "
                          "spent. Nothing was changed. Restore the ledger from a backup, or run `cohort "
                          "generate-logical-batch PROJECT --clean` to start afresh, which pays for everything again",
                          context.workspace.ledger_file().string(), view->completed_tasks, view->total_tasks,
                          to_string(view->spent)));
}

void tell_of_foreign_state(const project_context& context, const std::optional<run_record>& stored, notices& out) {
  if (stored) return;
  const auto view = state::read_batch_state(context.workspace.batch_state_path());
  if (!view) return;
  out.announce(fmt::format(
      "a batch-state.json without a ledger tells of {} of {} tasks done and {} spent: its settings are taken over. It "
      "names no tasks, so everything that lacks tests is planned; its spending counts against no limit of this run",
      view->completed_tasks, view->total_tasks, to_string(view->spent)));
}

expected<ready_run> make_ready(const project_context& context, state::ledger& ledger, stored_state stored,
                               resolved_run how, stop_handler& stop, notices& out) {
  tell_of_foreign_state(context, stored.run, out);
  if (how.fallbacks.empty() && !how.settings.fallback.empty())
    out.warn(fmt::format("no model stands in for {} in config/models.json", how.model.id));
  if (how.continues) return go_on(context, ledger, std::move(*stored.run), std::move(how), out);
  if (how.replaces) {
    if (auto safe = check_nothing_is_lost(*stored.run); !safe) return tl::unexpected{safe.error()};
    tell_of_another_plan(out);
  }
  // Killed between the ledger's last word and the view's: the view is built again, also when there is nothing to do.
  if (stored.run && !how.replaces && !state::batch_state_agrees(context.workspace.batch_state_path(), *stored.run))
    if (auto shown = state::write_batch_state(context.workspace, *stored.run, durability::now); !shown)
      return tl::unexpected{shown.error()};
  if (!stored.run)
    if (auto kept = keep_foreign_state(context, out); !kept) return tl::unexpected{kept.error()};
  auto planned = plan_anew(context, ledger, how, stop, out);
  if (!planned) return tl::unexpected{planned.error()};
  ready_run ready{std::move(*planned), std::move(how)};
  if (!ready.run) return ready;
  const auto carried = ledger.spent_on_replaced_plans(ready.run->id);
  if (!carried) return tl::unexpected{carried.error()};
  ready.how.carried = *carried;
  return ready;
}

}  // namespace cohort::app
