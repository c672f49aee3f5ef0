// A look costs a system call; it comes before the commit, so that its answer still goes to where the file is.

#include "actors/recording/ledger_watch.hpp"

#include <fmt/format.h>

#include "base/log.hpp"

namespace cohort::actors {

std::optional<stop_run> ledger_watch::look() {
  if (displaced_) return std::nullopt;
  const auto location = ledger_->whereabouts();
  if (location == state::ledger_location::there) return std::nullopt;
  displaced_ = true;
  const auto file = workspace_.ledger_file().string();
  if (location == state::ledger_location::moved)
    return stop_run{ec::io,
                    fmt::format("the ledger '{}' was moved to '{}' while the run was at work; all that is paid is "
                                "in it. Move it back, or run the command there",
                                file, ledger_->path_now().string())};
  return stop_run{ec::io,
                  fmt::format("the ledger '{}' was deleted while the run was at work; all that is paid is kept, "
                              "and put back in its place at the end of the run",
                              file)};
}

expected<void> ledger_watch::put_back() {
  if (ledger_->whereabouts() != state::ledger_location::deleted) return {};
  auto back = ledger_->put_back();
  if (!back) return tl::unexpected{back.error()};
  log_warning("the ledger was deleted; all of it is in '{}' again", back->string());
  if (*back != workspace_.ledger_file())
    return fail(ec::io,
                fmt::format("another ledger has taken its place, so this run's is kept in '{}'", back->string()));
  displaced_ = false;
  return {};
}

}  // namespace cohort::actors
