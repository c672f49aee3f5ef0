// Passes over what was delivered, cuts the rest into batches, and keeps the first error of the sink.

#include "app/plan_builder.hpp"

#include "state/generated_files.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

namespace {

expected<std::vector<planning::batch_range>> cut(const plan_terms& terms,
                                                 const std::vector<planning::task_weight>& tasks) {
  const auto size = terms.request.settings.batch_size;
  if (size != 0) return planning::cut_batches(tasks.size(), size);
  return planning::cut_batches_evenly(tasks, terms.auto_batches);
}

/// Keeps of each task what a dry run shows, and drops the task.
class dry_sink final : public plan_sink {
 public:
  explicit dry_sink(const state::ledger* ledger) : ledger_(ledger) {}

  expected<bool> was_delivered(const task_id& task) override {
    return ledger_ == nullptr ? expected<bool>{false} : ledger_->delivered_before(task);
  }
  expected<void> take(task_spec&& task) override {
    estimates_.push_back(task.estimate);
    labels_.push_back(std::move(task.label));
    return {};
  }

  std::vector<planned_batch> in_batches(const std::vector<planning::batch_range>& ranges) {
    std::vector<planned_batch> batches;
    for (const auto& range : ranges) {
      auto& batch = batches.emplace_back();
      batch.index = static_cast<uint32_t>(batches.size() - 1);
      for (size_t i = range.first; i < range.first + range.count; ++i) {
        add(batch.estimate, estimates_[i]);
        batch.sources.push_back(std::move(labels_[i]));
      }
    }
    return batches;
  }

 private:
  const state::ledger* ledger_;  ///< Null if there is none.
  std::vector<task_estimate> estimates_;
  std::vector<std::string> labels_;
};

}  // namespace

void add(task_estimate& sum, const task_estimate& more) noexcept {
  sum.low += more.low;
  sum.expected += more.expected;
  sum.worst += more.worst;
}

std::optional<planning::batching_verdict> verdict_on(bool batched, uint32_t batch_size, size_t tasks,
                                                     size_t delivered) {
  if (!batched || batch_size == 0) return std::nullopt;
  const auto verdict = planning::advise_on_batching(tasks, batch_size);
  if (verdict.benefit == planning::batching_benefit::none && delivered > 0) return std::nullopt;
  return verdict;
}

plan_terms terms_of(const project_context& context, const run_settings& settings, const model_info& model,
                    bool write_cache) {
  return {planning_of(context, settings, model, write_cache), context.planning.batches, context.request.batched};
}

expected<built_plan> build_plan(const plan_terms& terms, notices& out, plan_sink& sink) {
  std::vector<planning::task_weight> weights;
  size_t delivered = 0;
  error trouble;
  auto summary = plan_project(terms.request, out, [&](task_spec&& task) {
    const planning::task_weight weight{task.estimate.expected, task.complexity};
    const auto known = regenerates(terms.request, task.source) ? expected<bool>{false} : sink.was_delivered(task.id);
    if (known && *known) {
      ++delivered;
      return true;
    }
    auto taken = known ? sink.take(std::move(task)) : expected<void>{tl::unexpected{known.error()}};
    if (!taken) {
      trouble = taken.error();
      return false;
    }
    weights.push_back(weight);
    return true;
  });
  if (trouble.code != ec::none) return tl::unexpected{trouble};
  if (!summary) return tl::unexpected{summary.error()};
  delivered += summary->delivered;
  auto ranges = cut(terms, weights);
  if (!ranges) return tl::unexpected{ranges.error()};
  const auto batch_size = terms.request.settings.batch_size;
  return built_plan{{std::move(*summary), weights.size(), delivered,
                     verdict_on(terms.batched, batch_size, weights.size(), delivered)},
                    std::move(*ranges)};
}

expected<dry_plan> plan_without_writing(const project_context& context, const resolved_run& wanted, notices& out) {
  const auto ledger = open_and_tell(context.workspace, state::ledger::access::read_only, out);
  if (!ledger && ledger.error().code != ec::state_missing) return tl::unexpected{ledger.error()};
  const auto* known = ledger ? &*ledger : nullptr;
  auto generated = state::generated_files(context.workspace, known);
  if (!generated) return tl::unexpected{generated.error()};
  auto terms = terms_of(context, wanted.settings, wanted.model, false);
  terms.request.generated = std::move(*generated);
  if (known != nullptr) {
    auto delivered = known->delivered();
    if (!delivered) return tl::unexpected{delivered.error()};
    terms.request.delivered = std::move(*delivered);
  }
  dry_sink sink{known};
  auto built = build_plan(terms, out, sink);
  if (!built) return tl::unexpected{built.error()};
  return dry_plan{std::move(built->outline), sink.in_batches(built->batches)};
}

expected<std::vector<planned_batch>> what_is_left(const project_context& context, const run_record& run, notices& out) {
  const auto ledger = open_and_tell(context.workspace, state::ledger::access::read_only, out);
  if (!ledger) return tl::unexpected{ledger.error()};
  std::vector<planned_batch> left;
  auto visited = ledger->for_each_task(run.id, [&](const task_record& task) {
    if (is_final(task.state)) return;
    if (left.empty() || left.back().index != task.batch) left.emplace_back().index = task.batch;
    if (task.state != task_state::answered) add(left.back().estimate, task.spec.estimate);  // That one is paid.
    left.back().sources.push_back(task.spec.label);
  });
  if (!visited) return tl::unexpected{visited.error()};
  return left;
}

}  // namespace cohort::app
