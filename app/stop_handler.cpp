// Draining, stopping, leaving. What counts is done before anything is said: whoever reads it may have gone.

#include "app/stop_handler.hpp"

#include <unistd.h>

namespace cohort::app {

void stop_handler::heed(stop_request request) {
  out_.hurry();
  wished_ = true;
  if (planning_) leave_planning();
  if (request.count == 1) {
    controls.drain();
    out_.tell_lines(notice_kind::of_the_process, "\nfinishing what is in flight; once more stops at once");
  } else if (request.count == 2 && (request.grace_over || controls.running())) {
    controls.stop_now();
    out_.tell_lines(notice_kind::of_the_process,
                    request.grace_over
                        ? "the time for finishing is over; what is in flight stays charged as unconfirmed"
                        : "\nstopping now; what is in flight stays charged as unconfirmed");
  } else {
    leave();
  }
}

void stop_handler::begin_planning() {
  planning_ = true;
  if (wished_) leave_planning();
}

void stop_handler::leave_planning() {
  out_.tell_lines(notice_kind::of_the_process, "\ninterrupted while the project was read; nothing was asked");
  leave();
}

/// As safe as a kill: what is stored is whole at every moment. Only what a kill would leave behind is removed.
void stop_handler::leave() noexcept {
  if (locked_) {
    state::release_ballast(workspace_);
    ::unlink(workspace_.lock_file().c_str());
  }
  ::_exit(exit_code_);
}

}  // namespace cohort::app
