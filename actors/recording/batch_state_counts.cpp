// Counts are moved from state to state; they are never computed again while the run goes on.

#include "actors/recording/batch_state_counts.hpp"

#include "base/files.hpp"
#include "state/batch_state_file.hpp"

namespace cohort::actors {

namespace {

constexpr std::chrono::seconds interval{1};

}  // namespace

void batch_state_counts::open_batch(uint32_t batch, const std::vector<task_record>& tasks) {
  for (const auto& task : tasks) {
    task_record known = task;
    known.answer = std::string{};  // not `clear`: that would keep the memory
    known.spec.request.prompt = std::string{};
    known.spec.request.shared_prefix = std::string{};
    tasks_[task.spec.id] = std::move(known);
    batches_[batch].push_back(task.spec.id);
  }
}

void batch_state_counts::close_batch(uint32_t batch) {
  for (const auto& id : batches_[batch]) tasks_.erase(id);
  batches_.erase(batch);
}

const task_record* batch_state_counts::find(const task_id& id) const {
  const auto known = tasks_.find(id);
  return known == tasks_.end() ? nullptr : &known->second;
}

void batch_state_counts::note(const attempt_done& stored, bool fresh) {
  note_state(stored.task, task_state::answered);
  if (const auto* known = find(stored.task); fresh && known != nullptr)
    note_cost(known->batch, stored.model, stored.cost);
}

void batch_state_counts::note_state(const task_id& id, task_state state) {
  const auto known = tasks_.find(id);
  if (known == tasks_.end() || known->second.state == state) return;
  if (run_ && known->second.batch < run_->batches.size()) {
    auto& counts = run_->batches[known->second.batch].tasks;
    --counts.of(known->second.state);
    ++counts.of(state);
  }
  known->second.state = state;
}

void batch_state_counts::note_cost(uint32_t batch, const std::string& model, nano_dollars cost) {
  if (!run_ || batch >= run_->batches.size()) return;
  run_->batches[batch].spent.confirmed += cost;
  auto& share = run_->by_model[model.empty() ? run_->model_id : model];
  ++share.answers;
  share.cost += cost;
}

expected<void> batch_state_counts::publish() { return write(true); }

expected<void> batch_state_counts::publish_soon() { return write(false); }

expected<void> batch_state_counts::publish_if_due() {
  return steady_clock::now() - published_ < interval ? expected<void>{} : write(false);
}

expected<void> batch_state_counts::write(bool now) {
  if (!run_) return {};
  published_ = steady_clock::now();
  run_->updated = wall_now();
  return state::write_batch_state(workspace_, *run_, now ? durability::now : durability::later);
}

}  // namespace cohort::actors
