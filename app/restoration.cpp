// Delivered files that are gone, or that lack what was delivered into them, written again from answers that are paid
// for.

#include "app/restoration.hpp"

#include <fmt/format.h>

#include "actors/recording/lacking_files.hpp"
#include "actors/recording/result_writer.hpp"
#include "base/text.hpp"

namespace cohort::app {

namespace {

class restoration {
 public:
  restoration(const state::workspace& workspace, state::ledger& ledger, const answer_handler& handler,
              std::vector<state::audit_finding>& troubles)
      : workspace_(workspace), ledger_(ledger), handler_(handler), troubles_(troubles) {}

  expected<void> restore_missing() {
    const auto audit = ledger_.audit({});
    if (!audit) return tl::unexpected{audit.error()};
    for (const auto& file : audit->files) {
      if (!state::is_missing(file.path) || actors::is_left_behind(ledger_, file.path)) continue;
      const auto known = ledger_.result_at(file.path);
      if (!known) return tl::unexpected{known.error()};
      if (*known) write(state::disagreement::missing, {(*known)->source, (*known)->target}, file.path);
    }
    return {};
  }

  expected<void> restore_incomplete() {
    const auto lacking = actors::find_lacking_files(ledger_, handler_);
    if (!lacking) return tl::unexpected{lacking.error()};
    for (const auto& file : *lacking) write(state::disagreement::incomplete, file.whose, file.path);
    return {};
  }

  std::vector<std::string> written;

 private:
  void write(state::disagreement kind, const state::source_target& whose, const std::string& path) {
    auto done = actors::write_again(ledger_, handler_, workspace_, whose, path);
    if (done)
      written.insert(written.end(), done->begin(), done->end());
    else
      troubles_.push_back(
          {kind, printable(path, 1000), fmt::format("it cannot be written again: {}", done.error().message)});
  }

  const state::workspace& workspace_;
  state::ledger& ledger_;
  const answer_handler& handler_;
  std::vector<state::audit_finding>& troubles_;
};

}  // namespace

expected<std::vector<std::string>> restore_files(const state::workspace& workspace, state::ledger& ledger,
                                                 const answer_handler& handler,
                                                 std::vector<state::audit_finding>& troubles) {
  restoration work{workspace, ledger, handler, troubles};
  if (auto done = work.restore_missing(); !done) return tl::unexpected{done.error()};
  if (auto done = work.restore_incomplete(); !done) return tl::unexpected{done.error()};
  return std::move(work.written);
}

}  // namespace cohort::app
