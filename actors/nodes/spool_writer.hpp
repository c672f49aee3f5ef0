// SPOOL WRITER: the NODE's spool behind a mailbox, on a thread of its own, because disks block.
#pragma once

#include "actors/interfaces.hpp"
#include "cluster/spool.hpp"

namespace cohort::actors {

/// Between the spool's form and the wire's.
[[nodiscard]] cluster::spooled_answer to_spooled(const remote_report& report);
[[nodiscard]] remote_report to_report(const cluster::spooled_answer& answer);

spool_writer_actor::behavior_type spool_writer(spool_writer_actor::pointer self,
                                               const std::shared_ptr<const cluster::spool>& spool);

}  // namespace cohort::actors
