// Many records share one commit: each waits for company, in rounds of 2 ms, or 4 ms while intents are rare. A round in
// which an intent came ends with a commit, since a worker waits for it; others wait up to 8 ms. Intents go before all
// others. No actor: the RECORDER drives it.
//
//   add -> urgent or patient -> flush: group -> begin, apply each, commit -> answer each
//                                        ^______ disk full, ledger not writable: kept, tried again each second
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "actors/recording/ledger_watch.hpp"
#include "base/clock.hpp"

namespace cohort::actors {

class group_commit {
 public:
  /// One record that waits for its commit.
  struct record {
    std::function<expected<void>()> apply;     ///< Writes it to the ledger; runs again after a failed commit.
    std::function<void(const error*)> answer;  ///< It is on disk, or why it never will be.
    bool intent = false;                       ///< Hurries; refused, not kept, while the ledger cannot be written.
  };

  /// What it asks of its owner.
  struct callbacks {
    std::function<void(milliseconds)> wake;  ///< Call `flush` after this time; at once, but not from within, if 0.
    std::function<void(stop_run)> stop_run;
  };

  /// `watch` must outlive it.
  group_commit(std::shared_ptr<state::ledger> ledger, state::workspace workspace, ledger_watch& watch,
               callbacks around);

  void add(record entry);
  /// The end of a round: commits what waits, or as much of it as keeps the next intents from waiting long.
  void flush();
  /// Commits all that waits, unless the ledger cannot be written.
  void flush_all();
  /// What cannot be written now is answered with the reason instead of being kept.
  void give_up();

  /// To be called by `apply` with what the ledger said: an error that concerns the ledger as a whole, like a full disk,
  /// is no refusal of that record.
  template <class Outcome>
  [[nodiscard]] Outcome note_ledger_error(Outcome outcome) {
    ledger_failed_ = !outcome && may_pass(outcome.error().code);
    return outcome;
  }

 private:
  [[nodiscard]] static bool may_pass(ec code) noexcept;
  void wake(milliseconds pause);
  void commit_some();
  [[nodiscard]] milliseconds round() const noexcept;
  void form_group();
  void commit_group();
  expected<void> commit_all();
  bool make_room();
  void refuse_intents(const error& problem);
  void retry_later(const error& problem);

  std::shared_ptr<state::ledger> ledger_;
  state::workspace workspace_;
  ledger_watch& watch_;
  callbacks around_;
  std::vector<record> urgent_;     ///< Intents: a worker waits for each.
  std::deque<record> patient_;     ///< Everything else, in order of arrival.
  std::vector<record> group_;      ///< What the next commit holds; kept while it cannot be written.
  bool flush_comes_ = false;       ///< `flush` will be called.
  size_t last_intents_ = 0;        ///< In the last group that had any.
  milliseconds waited_{0};         ///< The oldest record, in rounds.
  bool ledger_failed_ = false;     ///< What the last record met concerns the ledger as a whole.
  bool trouble_reported_ = false;  ///< The ledger cannot be written; the run was told.
  bool giving_up_ = false;
};

}  // namespace cohort::actors
