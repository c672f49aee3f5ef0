// Forming groups, committing them, and what happens when the disk is full.

#include "actors/recording/group_commit.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/fault_point.hpp"
#include "base/log.hpp"

namespace cohort::actors {

namespace {

constexpr milliseconds busy_round{2};
constexpr milliseconds quiet_round{4};  ///< While fewer than `company` intents come together.
constexpr size_t company = 3;
constexpr milliseconds longest_wait{8};  ///< Without an intent.
constexpr milliseconds trouble_pause{1000};
constexpr size_t least_share = 32;  ///< Records that a commit takes along with intents, if so many wait.

bool is_disk_full(const error& problem) { return problem.code == ec::disk_full; }

}  // namespace

group_commit::group_commit(std::shared_ptr<state::ledger> ledger, state::workspace workspace, ledger_watch& watch,
                           callbacks around)
    : ledger_(std::move(ledger)), workspace_(std::move(workspace)), watch_(watch), around_(std::move(around)) {}

/// Troubles of the ledger that can pass: then what is paid is kept in memory, and tried again.
bool group_commit::may_pass(ec code) noexcept {
  return code == ec::disk_full || code == ec::io || code == ec::permission_denied || code == ec::state_locked;
}

void group_commit::wake(milliseconds pause) {
  if (std::exchange(flush_comes_, true)) return;
  around_.wake(pause);
}

void group_commit::add(record entry) {
  if (entry.intent)
    urgent_.push_back(std::move(entry));
  else
    patient_.push_back(std::move(entry));
  wake(round());
}

/// The rarer intents are, the dearer is a commit for each: waking costs more than writing then.
milliseconds group_commit::round() const noexcept { return last_intents_ < company ? quiet_round : busy_round; }

/// Every intent, and as much of the rest as keeps the next intents from waiting long: a quarter, so that what is in
/// memory only stays bounded.
void group_commit::form_group() {
  if (!urgent_.empty()) last_intents_ = urgent_.size();
  group_ = std::exchange(urgent_, {});
  const auto share = static_cast<std::ptrdiff_t>(std::min(patient_.size(), std::max(least_share, patient_.size() / 4)));
  std::move(patient_.begin(), patient_.begin() + share, std::back_inserter(group_));
  patient_.erase(patient_.begin(), patient_.begin() + share);
}

void group_commit::flush() {
  flush_comes_ = false;
  if (group_.empty() && urgent_.empty() && patient_.empty()) return;
  waited_ += round();
  if (group_.empty() && urgent_.empty() && waited_ < longest_wait) return wake(round());
  commit_some();
}

void group_commit::commit_some() {
  waited_ = milliseconds{0};
  if (group_.empty()) form_group();
  if (!group_.empty()) commit_group();
  if (patient_.empty()) return;
  waited_ = longest_wait;  // What was left has waited.
  wake(milliseconds{0});
}

void group_commit::flush_all() {
  do commit_some();
  while (group_.empty() && !(urgent_.empty() && patient_.empty()));
}

void group_commit::give_up() {
  giving_up_ = true;
  flush_comes_ = false;  // Not before the end of a long pause.
  commit_some();
}

void group_commit::commit_group() {
  if (auto gone = watch_.look()) around_.stop_run(std::move(*gone));
  auto outcome = commit_all();
  if (!outcome && is_disk_full(outcome.error()) && make_room()) outcome = commit_all();
  if (!outcome && may_pass(outcome.error().code) && !giving_up_) return retry_later(outcome.error());
  if (!outcome)
    for (auto& entry : group_) entry.answer(&outcome.error());
  if (outcome && std::exchange(trouble_reported_, false)) log_info("the ledger can be written again; all is stored");
  group_.clear();
}

/// A record that the ledger refuses is answered with its error and does not take the others with it.
expected<void> group_commit::commit_all() {
  COHORT_FAULT_POINT("commit.begin");
  if (auto begun = ledger_->begin(); !begun) return begun;
  std::vector<std::optional<error>> refused(group_.size());
  for (size_t i = 0; i < group_.size(); ++i) {
    auto applied = group_[i].apply();
    if (applied) continue;
    if (is_disk_full(applied.error()) || std::exchange(ledger_failed_, false)) {
      ledger_->rollback();
      return applied;
    }
    refused[i] = std::move(applied.error());
  }
  COHORT_FAULT_POINT("commit.applied");
  if (auto committed = ledger_->commit(); !committed) {
    ledger_->rollback();
    return committed;
  }
  COHORT_FAULT_POINT("commit.done");
  for (size_t i = 0; i < group_.size(); ++i) group_[i].answer(refused[i] ? &*refused[i] : nullptr);
  COHORT_FAULT_POINT("commit.acknowledged");
  return {};
}

bool group_commit::make_room() {
  std::error_code ignored;
  if (!std::filesystem::exists(workspace_.ballast_file(), ignored)) return false;
  state::release_ballast(workspace_);
  log_error("the disk is full; the reserve is used to store paid answers");
  around_.stop_run(
      {ec::disk_full, "the disk is full; every paid answer is stored. Free some space and run the same command again"});
  return true;
}

/// Nothing was sent for an intent yet, so nothing is lost with it.
void group_commit::refuse_intents(const error& problem) {
  for (const auto& entry : urgent_) entry.answer(&problem);
  urgent_.clear();
  for (const auto& entry : group_)
    if (entry.intent) entry.answer(&problem);
  std::erase_if(group_, [](const record& entry) { return entry.intent; });
}

void group_commit::retry_later(const error& problem) {
  if (!std::exchange(trouble_reported_, true)) {
    log_error("{}", problem.message);
    around_.stop_run({problem.code, problem.message + " (paid answers are kept in memory and tried again each second; "
                                                      "a second Ctrl-C gives them up, and they stay charged)"});
  }
  refuse_intents(problem);
  wake(trouble_pause);
}

}  // namespace cohort::actors
