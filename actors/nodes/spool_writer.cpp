// KEEPER.

#include "actors/nodes/spool_writer.hpp"

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "base/log.hpp"

namespace cohort::actors {

cluster::spooled_answer to_spooled(const remote_report& report) {
  const auto& what = report.report;
  return {report.book, report.run, what.task, what.attempt, what.lease, what.sends, what.took, what.answer};
}

remote_report to_report(const cluster::spooled_answer& answer) {
  remote_report report{answer.book, answer.run, {}};
  auto& what = report.report;
  what.lease = answer.lease;
  what.task = answer.task;
  what.attempt = answer.attempt;
  what.answered = true;
  what.answer = answer.answer;
  what.sends = answer.sends;
  what.took = answer.took;
  return report;
}

keeper_actor::behavior_type keeper(keeper_actor::pointer, const std::shared_ptr<const cluster::spool>& place) {
  return {
      [place](const keep_report& wish) -> caf::result<recorded> {
        if (auto kept = place->keep(to_spooled(wish.what)); !kept) return to_caf(kept.error());
        return recorded{};
      },
      [place](const forget_report& wish) {
        cluster::spooled_answer which;
        which.book = wish.which.book;
        which.run = wish.which.run;
        which.task = wish.which.task;
        which.attempt = wish.which.attempt;
        if (auto gone = place->forget(which); !gone) log_warning("{}", gone.error().message);
      },
  };
}

}  // namespace cohort::actors
