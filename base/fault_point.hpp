// Names the points at which a campaign of tests kills the process (tests/campaigns/kill.py). The program itself has no
// such points: only the test binary `cohort_faults` is compiled with COHORT_FAULTS.
#pragma once

#ifdef COHORT_FAULTS

namespace cohort::inline base {

/// Ends the process by SIGKILL if this is the passing of `name` that the environment asks for.
void pass_fault_point(const char* name) noexcept;

}  // namespace cohort::inline base

#define COHORT_FAULT_POINT(name) ::cohort::pass_fault_point(name)

#else

#define COHORT_FAULT_POINT(name) static_cast<void>(0)

#endif
