// Who has come to the door and is not let in yet, and who of them makes room when others come. A plain class: the
// DOORKEEPER asks it.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <string>

#include "base/clock.hpp"

namespace cohort::cluster {

class waiting_room {
 public:
  void enter(uint64_t id, const std::string& host, steady_time now);
  /// It has begun to shake hands.
  void begun(uint64_t id);
  /// It was let in, or has gone. Unknown ones are ignored.
  void leave(uint64_t id);

  [[nodiscard]] size_t count() const noexcept { return places_.size(); }
  [[nodiscard]] size_t count_from(const std::string& host) const;

  /// Whoever has waited longest, or longest of those from `host`; those that have said nothing before all others, but
  /// not the newcomer, who had no time to. Nothing if nobody waits.
  [[nodiscard]] std::optional<uint64_t> first_to_go(const std::string& host = {}) const;

  /// Whoever has waited longest, if that is as long as `time`.
  [[nodiscard]] std::optional<uint64_t> overdue(steady_time now, milliseconds time) const;

 private:
  struct guest {
    uint64_t id = 0;
    std::string host;
    steady_time since;
    bool silent = true;
  };
  std::list<guest> queue_;  ///< In order of arrival.
  std::map<uint64_t, std::list<guest>::iterator> places_;
  std::map<std::string, size_t> from_;  ///< By address; never 0.
};

}  // namespace cohort::cluster
