// Lists the connections whose handshake is pending, and decides which of them is closed when another one needs room. A
// plain class, which the TLS GATE uses.
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
  /// A connection has begun its handshake.
  void begun(uint64_t id);
  /// A connection was let in, or has ended. Unknown ones are ignored.
  void leave(uint64_t id);

  [[nodiscard]] size_t count() const noexcept { return places_.size(); }
  [[nodiscard]] size_t count_from(const std::string& host) const;

  /// The connection that has waited longest, of all or of those from `host`. Connections that have sent nothing come
  /// first, except the newcomer, which had no time to send anything. Nothing if none waits.
  [[nodiscard]] std::optional<uint64_t> first_to_go(const std::string& host = {}) const;

  /// The connection that has waited longest, if it has waited for at least `time`.
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
