// `batch-state.json` as a user, another program or a torn disk left it.
// Claims: what is read is within the bounds of the options; what this program writes from it is read back as the same.

#include "state/batch_state_file.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

void check_read(const state::imported_batch_state& view) {
  holds(view.completed_tasks <= view.total_tasks, "no more tasks are done than there are");
  holds(view.spent.count >= 0, "spending is not negative");
  holds(view.settings.batch_size <= 50 && view.settings.min_complexity <= 10, "settings are within their bounds");
  holds(view.settings.timeout.count() >= 1, "a time-out is positive");
  holds(!view.settings.cost_limit || view.settings.cost_limit->count >= 0, "a limit is not negative");
}

run_record record_of(const state::imported_batch_state& view) {
  run_record run;
  run.batch_id = "batch-1";
  run.project = "/project";
  run.settings = view.settings;
  run.started = view.started;
  run.updated = view.started;
  batch_record batch;
  batch.tasks.delivered = view.completed_tasks;
  batch.tasks.planned = view.total_tasks - view.completed_tasks;
  batch.spent.confirmed = view.spent;
  run.batches.push_back(batch);
  return run;
}

/// Dollars in a JSON number keep nano-dollars up to some millions.
bool same_amount(nano_dollars a, nano_dollars b) {
  constexpr int64_t exact_up_to = 1'000'000'000'000'000;
  return a.count > exact_up_to || a == b;
}

}  // namespace

void run(std::string_view input) {
  static const memory_file file;
  file.write(input);
  const auto view = state::read_batch_state(file.path());
  (void)state::batch_state_agrees(file.path(), run_record{});
  if (!view) {
    holds(view.error().code != ec::none && !view.error().message.empty(), "a refusal says why");
    return;
  }
  check_read(*view);
  const auto run = record_of(*view);
  file.write(state::render_batch_state(run));
  holds(state::batch_state_agrees(file.path(), run), "what was just written agrees");
  const auto again = state::read_batch_state(file.path());
  holds(again.has_value(), "what was written can be read");
  holds(again->settings.model == view->settings.model && again->settings.batch_size == view->settings.batch_size &&
            again->settings.timeout == view->settings.timeout,
        "settings survive");
  holds(again->total_tasks == view->total_tasks && again->completed_tasks == view->completed_tasks, "counts survive");
  holds(same_amount(view->spent, again->spent), "spending survives");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
