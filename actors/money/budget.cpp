// Sums and comparisons; saturating arithmetic keeps absurd amounts on the safe side.

#include "actors/money/budget.hpp"

#include <fmt/format.h>

namespace cohort::actors {

namespace {

budget::verdict ruling_on(const funds_status& account, const std::optional<nano_dollars>& limit, nano_dollars amount) {
  if (!limit) return budget::verdict::granted;
  if (account.spent.total() + amount > *limit) return budget::verdict::vetoed;
  if (account.spent.total() + account.reserved + amount > *limit) return budget::verdict::wait;
  return budget::verdict::granted;
}

void add(spending& sum, const spending& more) {
  sum.confirmed += more.confirmed;
  sum.unconfirmed += more.unconfirmed;
}

}  // namespace

void budget::carry_over(uint32_t batch, const spending& spent) {
  add(run_.spent, spent);
  add(batches_[batch].spent, spent);
}

budget::ruling budget::reserve(uint32_t batch, nano_dollars amount) {
  auto& account = batches_[batch];
  const auto by_run = ruling_on(run_, limits_.run, amount);
  if (by_run == verdict::vetoed) return {verdict::vetoed, true};
  const auto by_batch = ruling_on(account, limits_.each_batch, amount);
  if (by_batch != verdict::granted) return {by_batch, false};
  if (by_run == verdict::wait) return {verdict::wait, true};
  run_.reserved += amount;
  account.reserved += amount;
  return {verdict::granted, false};
}

void budget::settle(const settlement& x) {
  auto& account = batches_[x.batch];
  run_.reserved -= x.reserved;
  account.reserved -= x.reserved;
  add(run_.spent, x.spent);
  add(account.spent, x.spent);
}

funds_answer budget::explain(uint32_t batch_index, nano_dollars amount, const ruling& why) const {
  const auto& limit = why.by_run ? limits_.run : limits_.each_batch;
  const auto account = why.by_run ? run_ : batch(batch_index);
  funds_answer answer;
  answer.run_limit = why.by_run;
  answer.code = limit && amount > *limit ? ec::limit_too_low : ec::limit_reached;
  answer.reason = fmt::format(
      "the {} limit of {} leaves no room: {} spent, and this task may cost up to {}; "
      "the least {} that lets it pass is {}",
      why.by_run ? "run's" : "batch's", exact_dollars(limit.value_or(nano_dollars{})),
      exact_dollars(account.spent.total()), exact_dollars(amount), why.by_run ? "--budget" : "--cost-limit",
      exact_dollars(account.spent.total() + amount));
  return answer;
}

funds_status budget::batch(uint32_t index) const {
  const auto found = batches_.find(index);
  return found == batches_.end() ? funds_status{} : found->second;
}

}  // namespace cohort::actors
