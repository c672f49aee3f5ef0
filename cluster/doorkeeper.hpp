// DOORKEEPER: stands between the network and the actor framework's TLS port, which is bound to loopback. It passes
// bytes on as they are and decrypts nothing; it turns away what cannot be a TLS handshake, what does not finish one in
// time, and too many at once, and it notices whom the framework refused, which the framework itself tells nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "cluster/address.hpp"

namespace cohort {

struct door_rules {
  milliseconds handshake_time{10'000};  ///< After this a connection without a finished handshake is closed.
  uint32_t most_strangers = 256;        ///< Connections without a finished handshake; the oldest make room.
};

/// What came to the door so far.
struct door_counters {
  uint64_t accepted = 0;
  uint64_t passed = 0;   ///< Finished their handshake.
  uint64_t refused = 0;  ///< Plain text, garbage, no certificate of this cluster, too slow, pushed out.
  uint32_t open = 0;     ///< Right now.
};

class doorkeeper {
 public:
  /// Called on the doorkeeper's thread, at most about once a second; several refusals are told in one sentence.
  using on_refused = std::function<void(std::string)>;

  /// Listens at `where` (port 0: any). Errors: `ec::usage` (no such address here), `ec::connect_failed` (in use),
  /// `ec::permission_denied`. Connections wait until `open_to`.
  [[nodiscard]] static expected<std::unique_ptr<doorkeeper>> listen(const net_address& where, door_rules rules = {});

  /// Starts to let them in, to the framework's `port` on loopback.
  void open_to(uint16_t port, on_refused tell);

  doorkeeper(const doorkeeper&) = delete;
  doorkeeper& operator=(const doorkeeper&) = delete;
  ~doorkeeper();

  [[nodiscard]] net_address address() const;  ///< With the port that is really used.
  [[nodiscard]] door_counters counters() const;

 private:
  class keeper;
  explicit doorkeeper(std::unique_ptr<keeper> inner);
  std::unique_ptr<keeper> inner_;
};

}  // namespace cohort
