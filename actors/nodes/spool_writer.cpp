// Writes answers to the node's spool and removes those that the coordinator has.

#include "actors/nodes/spool_writer.hpp"

#include <caf/all.hpp>

#include "actors/caf/caf_error.hpp"
#include "base/log.hpp"

namespace cohort::actors {

cluster::spooled_answer to_spooled(const remote_report& report) {
  const auto& what = report.report;
  return {report.ledger_id, report.run, what.task, what.attempt, what.lease, what.sends, what.took, what.answer};
}

remote_report to_report(const cluster::spooled_answer& answer) {
  remote_report report{answer.ledger_id, answer.run, {}};
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

spool_writer_actor::behavior_type spool_writer(spool_writer_actor::pointer,
                                               const std::shared_ptr<const cluster::spool>& spool) {
  return {
      [spool](const spool_report& request) -> caf::result<recorded> {
        if (auto kept = spool->keep(to_spooled(request.what)); !kept) return to_caf(kept.error());
        return recorded{};
      },
      [spool](const unspool_report& request) {
        cluster::spooled_answer which;
        which.ledger_id = request.which.ledger_id;
        which.run = request.which.run;
        which.task = request.which.task;
        which.attempt = request.which.attempt;
        if (auto gone = spool->forget(which); !gone) log_warning("{}", gone.error().message);
      },
  };
}

}  // namespace cohort::actors
