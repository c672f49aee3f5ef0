// Gathering what does not agree. While a run is at work its files may be a moment ahead of its ledger, so that a file
// that differs is looked at again with a ledger read later.

#include "app/verification.hpp"

#include <algorithm>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include "actors/recording/lacking_files.hpp"
#include "app/loaded_languages.hpp"
#include "app/run_liveness.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "state/batch_state_file.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

namespace fs = std::filesystem;

namespace {

constexpr int looks_at_a_run = 5;
constexpr milliseconds between_looks{200};

expected<state::ledger> open_known_ledger(const state::workspace& workspace) {
  return state::open_ledger(workspace, state::ledger::access::read_only);
}

std::optional<state::audit_finding> finding_about(const state::recorded_file& file) {
  const auto path = printable(file.path, 1000);
  const auto label = printable(file.label);
  switch (state::condition_of(file.path, file.content)) {
    case state::file_condition::intact: return std::nullopt;
    case state::file_condition::missing:
      return state::audit_finding{state::disagreement::missing, path, fmt::format("it was delivered for {}", label)};
    case state::file_condition::edited:
      return state::audit_finding{state::disagreement::edited, path,
                                  fmt::format("its content is not the one that was delivered for {}", label)};
    case state::file_condition::unreadable:
      return state::audit_finding{state::disagreement::unreadable, path, fmt::format("it was delivered for {}", label)};
  }
  return std::nullopt;
}

std::vector<state::audit_finding> check_files(const state::ledger& ledger,
                                              const std::vector<state::recorded_file>& files) {
  std::vector<state::audit_finding> findings;
  for (const auto& file : files) {
    auto found = finding_about(file);
    const bool fine =
        !found || (found->kind == state::disagreement::missing && actors::is_left_behind(ledger, file.path));
    if (!fine) findings.push_back(std::move(*found));
  }
  return findings;
}

/// "it lacks 12 results that were delivered for big.py: test_a, test_b, test_c, ..."
std::string text_about(const actors::lacking_file& file) {
  constexpr size_t most_named = 3;
  std::string names;
  for (size_t i = 0; i < std::min(most_named, file.results.size()); ++i)
    names += (i == 0 ? "" : ", ") + printable(file.results[i], 80);
  if (file.results.size() > most_named) names += ", ...";
  return fmt::format("it lacks {} results that were delivered for {}: {}", file.results.size(),
                     printable(file.whose.source), names);
}

/// The languages take their time to load, and most ledgers have no target of several tasks.
expected<std::vector<state::audit_finding>> check_completeness(const state::ledger& ledger) {
  std::vector<state::audit_finding> findings;
  const auto targets = ledger.targets_of_several_tasks();
  if (!targets) return tl::unexpected{targets.error()};
  if (targets->empty()) return findings;
  const auto handler = plain_handler();
  if (!handler) return tl::unexpected{handler.error()};
  const auto lacking = actors::find_lacking_files(ledger, **handler);
  if (!lacking) return tl::unexpected{lacking.error()};
  for (const auto& file : *lacking)
    findings.push_back({state::disagreement::incomplete, printable(file.path, 1000), text_about(file)});
  return findings;
}

/// Of the ledgers that `--clean` put aside, only what stands in them: their files may have been replaced since.
void check_archives(const state::workspace& workspace, const claude::catalog& models, verification& all) {
  for (const auto& file : state::archived_ledgers(workspace)) {
    ++all.archives;
    const auto where = printable(file.parent_path().string(), 1000);
    const auto ledger = state::ledger::open(file, workspace.project, state::ledger::access::read_only);
    const auto audit =
        ledger ? ledger->audit(models.models()) : expected<state::ledger_audit>{tl::unexpected{ledger.error()}};
    if (!audit) {
      all.findings.push_back({state::disagreement::archive, where, audit.error().message});
      continue;
    }
    for (const auto& found : audit->findings)
      all.findings.push_back({state::disagreement::archive, where, fmt::format("{}: {}", found.where, found.what)});
  }
}

/// Returns what is to be said about files.
expected<std::vector<state::audit_finding>> look(const state::workspace& workspace, const claude::catalog& models,
                                                 verification& all) {
  const auto ledger = open_known_ledger(workspace);
  if (!ledger) return tl::unexpected{ledger.error()};
  auto audit = ledger->audit(models.models());
  if (!audit) return tl::unexpected{audit.error()};
  auto run = ledger->newest_run();
  if (!run) return tl::unexpected{run.error()};
  all.run = std::move(*run);
  all.audit = std::move(*audit);
  auto of_files = check_files(*ledger, all.audit.files);
  all.intact_files = all.audit.files.size() - of_files.size();
  // A ledger that does not hold together tells nothing about its files.
  if (!all.audit.findings.empty()) return of_files;
  auto incomplete = check_completeness(*ledger);
  if (!incomplete) return incomplete;
  std::move(incomplete->begin(), incomplete->end(), std::back_inserter(of_files));
  return of_files;
}

}  // namespace

expected<verification> verify_project(const state::workspace& workspace, const claude::catalog& models,
                                      verification_options options) {
  verification all;
  std::vector<state::audit_finding> of_files;
  for (int looks = 1;; ++looks) {
    const auto holder = state::current_holder(workspace.lock_file());
    all.active = holder ? std::optional{*holder} : std::nullopt;
    auto looked = look(workspace, models, all);
    if (!looked) return tl::unexpected{looked.error()};
    of_files = std::move(*looked);
    if (!all.active || of_files.empty() || looks == looks_at_a_run) break;
    std::this_thread::sleep_for(between_looks);
  }
  all.findings = all.audit.findings;
  all.findings.insert(all.findings.end(), of_files.begin(), of_files.end());
  all.killed = all.run && !all.active && was_killed(*all.run, state::current_holder(workspace.lock_file()));
  all.view_compared = all.run && !all.active;
  if (all.view_compared)
    for (auto& difference : state::batch_state_differences(workspace.batch_state_path(), *all.run))
      all.findings.push_back(
          {state::disagreement::view, workspace.batch_state_path().filename().string(), std::move(difference)});
  if (options.archives) check_archives(workspace, models, all);
  return all;
}

}  // namespace cohort::app
