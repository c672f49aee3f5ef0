// Names and sums.

#include "messages/run.hpp"

#include <algorithm>

namespace cohort::inline messages {

std::string_view name(run_status status) noexcept {
  switch (status) {
    case run_status::running: return "running";
    case run_status::interrupted: return "interrupted";
    case run_status::stopped_by_limit: return "stopped";
    case run_status::finished: return "finished";
    case run_status::failed: return "failed";
  }
  return "unknown";
}

std::string_view name(task_state state) noexcept {
  switch (state) {
    case task_state::planned: return "planned";
    case task_state::answered: return "answered";
    case task_state::delivered: return "delivered";
    case task_state::failed: return "failed";
    case task_state::skipped: return "skipped";
    case task_state::deferred: return "deferred";
  }
  return "unknown";
}

std::string_view name(limit_policy policy) noexcept {
  switch (policy) {
    case limit_policy::stop: return "stop";
    case limit_policy::next: return "next";
    case limit_policy::warn: return "warn";
  }
  return "unknown";
}

uint32_t& state_counts::of(task_state state) noexcept {
  switch (state) {
    case task_state::planned: return planned;
    case task_state::answered: return answered;
    case task_state::delivered: return delivered;
    case task_state::failed: return failed;
    case task_state::skipped: return skipped;
    case task_state::deferred: return deferred;
  }
  return planned;
}

bool run_record::fell_back() const noexcept {
  return std::any_of(by_model.begin(), by_model.end(), [this](const auto& one) { return one.first != model_id; });
}

state_counts run_record::tasks() const noexcept {
  state_counts sum;
  for (const auto& batch : batches)
    for (auto state : {task_state::planned, task_state::answered, task_state::delivered, task_state::failed,
                       task_state::skipped, task_state::deferred})
      sum.of(state) += state_counts{batch.tasks}.of(state);
  return sum;
}

spending run_record::spent() const noexcept {
  spending sum;
  for (const auto& batch : batches) {
    sum.confirmed += batch.spent.confirmed;
    sum.unconfirmed += batch.spent.unconfirmed;
  }
  return sum;
}

task_estimate run_record::estimate() const noexcept {
  task_estimate sum;
  for (const auto& batch : batches) {
    sum.input_tokens += batch.estimate.input_tokens;
    sum.output_tokens += batch.estimate.output_tokens;
    sum.low += batch.estimate.low;
    sum.expected += batch.estimate.expected;
    sum.worst += batch.estimate.worst;
  }
  return sum;
}

uint32_t run_record::completed_batches() const noexcept {
  return static_cast<uint32_t>(std::count_if(batches.begin(), batches.end(), [](const batch_record& batch) {
    return batch.tasks.final() == batch.tasks.total();
  }));
}

uint32_t run_record::next_batch() const noexcept {
  const auto open = std::find_if(batches.begin(), batches.end(),
                                 [](const batch_record& batch) { return batch.tasks.final() != batch.tasks.total(); });
  return static_cast<uint32_t>(open - batches.begin());
}

}  // namespace cohort::inline messages
