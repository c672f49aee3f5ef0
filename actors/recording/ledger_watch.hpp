// A ledger that is moved or deleted while the run is at work: it is written on where it is, nothing else is written in
// its old place, and the run stops.
#pragma once

#include <memory>
#include <optional>

#include "actors/messages/control.hpp"
#include "state/ledger/ledger.hpp"
#include "state/workspace.hpp"

namespace cohort::actors {

class ledger_watch {
 public:
  ledger_watch(std::shared_ptr<state::ledger> ledger, state::workspace workspace)
      : ledger_(std::move(ledger)), workspace_(std::move(workspace)) {}

  /// To be asked before each commit. What to stop the run with, the first time that the ledger is not in its place.
  [[nodiscard]] std::optional<stop_run> look();

  /// True from then on: no file, no view and no sync in the old place.
  [[nodiscard]] bool displaced() const noexcept { return displaced_; }

  /// At the end of the run: a deleted ledger is written to its place again. `ec::io` if another one has taken it by
  /// then; ours is kept under another name.
  [[nodiscard]] expected<void> put_back();

 private:
  std::shared_ptr<state::ledger> ledger_;
  state::workspace workspace_;
  bool displaced_ = false;
};

}  // namespace cohort::actors
