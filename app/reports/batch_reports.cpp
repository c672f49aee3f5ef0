// Reports come from the ledger, read over a connection of their own.

#include "app/reports/batch_reports.hpp"

#include <fmt/format.h>

#include "app/reports/run_report.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "state/ledger/ledger.hpp"

namespace cohort::app {

namespace {

class reporting_sink : public actors::event_sink {
 public:
  reporting_sink(std::shared_ptr<actors::event_sink> inner, std::filesystem::path folder, state::workspace workspace,
                 int64_t run, notices& out)
      : inner_(std::move(inner)), folder_(std::move(folder)), workspace_(std::move(workspace)), run_(run), out_(out) {}

  void show(const run_event& event, const actors::run_snapshot& now) override {
    inner_->show(event, now);
    if (event.kind != event_kind::batch_ended) return;
    if (auto written = report(event.batch); !written) {
      log_error("{}", written.error().message);
      out_.warn(fmt::format("no report for batch {}: {}", event.batch + 1, written.error().message));
    }
  }
  void refresh(const actors::run_snapshot& now) override { inner_->refresh(now); }

 private:
  expected<void> report(uint32_t batch) {
    if (!ledger_) {
      auto opened = state::ledger::open(workspace_.ledger_file(), workspace_.project, state::ledger::access::read_only);
      if (!opened) return tl::unexpected{opened.error()};
      ledger_ = std::make_unique<state::ledger>(std::move(*opened));
    }
    const auto run = ledger_->newest_run();
    if (!run) return tl::unexpected{run.error()};
    const auto tasks = ledger_->load_batch(run_, batch);
    if (!tasks) return tl::unexpected{tasks.error()};
    const auto attempts = ledger_->attempts(run_);
    if (!attempts) return tl::unexpected{attempts.error()};
    return replace_file(folder_ / fmt::format("batch-{:03}.json", batch + 1),
                        batch_report_json(**run, batch, *tasks, *attempts), durability::later);
  }

  std::shared_ptr<actors::event_sink> inner_;
  std::filesystem::path folder_;
  state::workspace workspace_;
  int64_t run_;
  notices& out_;
  std::unique_ptr<state::ledger> ledger_;
};

}  // namespace

expected<std::shared_ptr<actors::event_sink>> with_batch_reports(std::shared_ptr<actors::event_sink> inner,
                                                                 const std::filesystem::path& folder,
                                                                 const state::workspace& workspace, int64_t run,
                                                                 notices& out) {
  if (auto made = make_directories(folder); !made) return tl::unexpected{made.error()};
  return std::make_shared<reporting_sink>(std::move(inner), folder, workspace, run, out);
}

}  // namespace cohort::app
