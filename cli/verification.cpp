// Gathering what does not agree. While a run is at work its files may be a moment ahead of its ledger, so that a file
// that differs is looked at again with a ledger read later.

#include "cli/verification.hpp"

#include <algorithm>
#include <iterator>
#include <thread>

#include <fmt/format.h>

#include "actors/recording/lacking_files.hpp"
#include "answers/generated_test.hpp"
#include "app/run_liveness.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "state/batch_state_file.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::cli {

namespace fs = std::filesystem;

namespace {

constexpr int looks_at_a_run = 5;
constexpr milliseconds between_looks{200};

expected<state::ledger> open_book(const state::workspace& place) {
  return state::open_ledger(place, state::ledger::access::read_only);
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

std::vector<state::audit_finding> check_files(const state::ledger& book,
                                              const std::vector<state::recorded_file>& files) {
  std::vector<state::audit_finding> findings;
  for (const auto& file : files) {
    auto found = finding_about(file);
    const bool fine =
        !found || (found->kind == state::disagreement::missing && actors::is_left_behind(book, file.path));
    if (!fine) findings.push_back(std::move(*found));
  }
  return findings;
}

/// "it lacks 12 results that were delivered for big.py: test_a, test_b, test_c, ..."
std::string words_about(const actors::lacking_file& file) {
  constexpr size_t most_named = 3;
  std::string names;
  for (size_t i = 0; i < std::min(most_named, file.results.size()); ++i)
    names += (i == 0 ? "" : ", ") + printable(file.results[i], 80);
  if (file.results.size() > most_named) names += ", ...";
  return fmt::format("it lacks {} results that were delivered for {}: {}", file.results.size(),
                     printable(file.whose.source), names);
}

/// The craft takes its time to load, and most ledgers have no target of several tasks.
expected<std::vector<state::audit_finding>> check_completeness(const state::ledger& book) {
  std::vector<state::audit_finding> findings;
  const auto targets = book.targets_of_several_tasks();
  if (!targets) return tl::unexpected{targets.error()};
  if (targets->empty()) return findings;
  const auto craft = answers::load_test_craft(config_directory());
  if (!craft) return tl::unexpected{craft.error()};
  const auto lacking = actors::find_lacking_files(book, **craft);
  if (!lacking) return tl::unexpected{lacking.error()};
  for (const auto& file : *lacking)
    findings.push_back({state::disagreement::incomplete, printable(file.path, 1000), words_about(file)});
  return findings;
}

/// Of the ledgers that `--clean` put aside, only what stands in them: their files may have been replaced since.
void check_archives(const state::workspace& place, const claude::catalog& models, verification& all) {
  for (const auto& file : state::archived_ledgers(place)) {
    ++all.archives;
    const auto where = printable(file.parent_path().string(), 1000);
    const auto book = state::ledger::open(file, place.project, state::ledger::access::read_only);
    const auto audit =
        book ? book->audit(models.models()) : expected<state::ledger_audit>{tl::unexpected{book.error()}};
    if (!audit) {
      all.findings.push_back({state::disagreement::archive, where, audit.error().message});
      continue;
    }
    for (const auto& found : audit->findings)
      all.findings.push_back({state::disagreement::archive, where, fmt::format("{}: {}", found.where, found.what)});
  }
}

/// Returns what is to be said about files.
expected<std::vector<state::audit_finding>> look(const state::workspace& place, const claude::catalog& models,
                                                 verification& all) {
  const auto book = open_book(place);
  if (!book) return tl::unexpected{book.error()};
  auto audit = book->audit(models.models());
  if (!audit) return tl::unexpected{audit.error()};
  auto run = book->newest_run();
  if (!run) return tl::unexpected{run.error()};
  all.run = std::move(*run);
  all.book = std::move(*audit);
  auto of_files = check_files(*book, all.book.files);
  all.intact_files = all.book.files.size() - of_files.size();
  // A ledger that does not hold together tells nothing about its files.
  if (!all.book.findings.empty()) return of_files;
  auto incomplete = check_completeness(*book);
  if (!incomplete) return incomplete;
  std::move(incomplete->begin(), incomplete->end(), std::back_inserter(of_files));
  return of_files;
}

}  // namespace

expected<verification> verify_project(const state::workspace& place, const claude::catalog& models,
                                      verification_wishes wishes) {
  verification all;
  std::vector<state::audit_finding> of_files;
  for (int looks = 1;; ++looks) {
    const auto holder = state::current_holder(place.lock_file());
    all.active = holder ? std::optional{*holder} : std::nullopt;
    auto looked = look(place, models, all);
    if (!looked) return tl::unexpected{looked.error()};
    of_files = std::move(*looked);
    if (!all.active || of_files.empty() || looks == looks_at_a_run) break;
    std::this_thread::sleep_for(between_looks);
  }
  all.findings = all.book.findings;
  all.findings.insert(all.findings.end(), of_files.begin(), of_files.end());
  all.killed = all.run && !all.active && app::was_killed(*all.run, state::current_holder(place.lock_file()));
  all.view_compared = all.run && !all.active;
  if (all.view_compared)
    for (auto& difference : state::view_differences(place.view_file(), *all.run))
      all.findings.push_back({state::disagreement::view, place.view_file().filename().string(), std::move(difference)});
  if (wishes.archives) check_archives(place, models, all);
  return all;
}

}  // namespace cohort::cli
