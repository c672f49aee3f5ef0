// Runs a provider on this machine: an HTTP/1.1 server on loopback that speaks the Claude API, has faults on demand and
// writes a bill of its own.
// Invariant: it shares no code with the client but `base/`, so that its bill is an independent witness.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.hpp"
#include "base/money.hpp"
#include "simulator/behaviour/scenario.hpp"

namespace cohort::simulator {

struct simulator_options {
  uint16_t port = 0;               ///< 0: the system chooses a free one.
  std::string host = "127.0.0.1";  ///< Loopback only: 127.0.0.0/8, "localhost" or "::1".
  scenario rules;                  ///< From `load_scenario` and `override_scenario`.
  std::filesystem::path bill;      ///< Appended to; empty: no bill is kept.
  std::string credential;          ///< If not empty: only requests with this key or token are answered at all.
  std::filesystem::path models;    ///< Empty: `config/models.json`.
  std::filesystem::path data;      ///< Traits and frameworks; empty: `config/simulator/`.

  /// Fails with `ec::config_invalid`.
  [[nodiscard]] expected<void> validate() const;
};

/// What the server has done so far. `billed` is the number of lines in the bill file.
struct simulator_counters {
  uint64_t connections = 0;  ///< Accepted.
  uint64_t open_connections = 0;
  uint64_t peak_connections = 0;
  uint64_t requests = 0;          ///< All HTTP requests that arrived whole.
  uint64_t message_requests = 0;  ///< POST /v1/messages.
  uint64_t in_flight = 0;         ///< Message requests whose answer is not sent yet; hanging ones included.
  uint64_t peak_in_flight = 0;
  uint64_t answered = 0;       ///< Message requests answered with 200 and a whole body.
  uint64_t refused = 0;        ///< Answered with 4xx other than 429.
  uint64_t rate_limited = 0;   ///< 429.
  uint64_t overloaded = 0;     ///< 529.
  uint64_t server_errors = 0;  ///< 500.
  uint64_t hangs = 0;
  uint64_t resets = 0;
  uint64_t truncated = 0;
  uint64_t count_token_requests = 0;
  uint64_t billed = 0;            ///< Lines on the bill.
  uint64_t repeated_prompts = 0;  ///< Billed lines for a prompt that was billed before.
  nano_dollars billed_amount;
};

/// A running server with one thread of its own.
class simulator {
 public:
  /// Binds, listens and starts the thread. Raises the process's soft limit of open files to the hard one.
  /// Fails with `ec::config_invalid`, `ec::io` (port taken, bill not writable) or what reading the data gives.
  [[nodiscard]] static expected<std::unique_ptr<simulator>> start(const simulator_options& options);

  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;
  ~simulator();

  [[nodiscard]] uint16_t port() const noexcept;
  /// "http://127.0.0.1:PORT", as for `ANTHROPIC_BASE_URL`.
  [[nodiscard]] std::string base_url() const;
  /// A consistent copy; callable from any thread, also after `stop`.
  [[nodiscard]] simulator_counters counters() const;
  /// Closes all connections and joins the thread. Idempotent.
  void stop();

 private:
  class server;
  explicit simulator(std::unique_ptr<server> running) noexcept;
  std::unique_ptr<server> server_;
};

}  // namespace cohort::simulator
