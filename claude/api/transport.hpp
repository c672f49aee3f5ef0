// Runs thousands of HTTP exchanges at a time on one thread of its own (libcurl's multi interface over epoll).
// Invariant: a request is handed to the network at most once. libcurl would silently send it again when a kept
// connection dies before the answer begins; that second send is refused here, because the first may be billed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "claude/api/http.hpp"
#include "claude/api/settings.hpp"

namespace cohort::claude {

enum class http_method : uint8_t { get, post };

struct http_call {
  http_method method = http_method::post;
  std::string url;
  std::vector<std::string> headers;  ///< Whole lines, "name: value".
  std::string body;                  ///< Of a POST. Freed as soon as it is sent.
  milliseconds timeout{0};           ///< For the whole exchange, from `submit` to the last byte of the answer.
};

struct transport_options {
  transport_settings settings;
  uint64_t header_bytes = 0;  ///< Bound of all response headers of one exchange.
  uint32_t header_lines = 0;  ///< The same, counted.
  std::string ca_file;        ///< Certificates to trust instead of the system's; may be empty.
  std::string proxy;          ///< With its password, if it has one; empty: as libcurl finds it.
};

/// The HTTP event loop of a process. Thread-safe, except that `stop` must not be called from a callback.
class transport {
 public:
  /// Called once per exchange, on the loop's thread. It must not block or throw; it may submit and cancel.
  using on_done = std::function<void(http_end)>;

  /// Starts the thread. Raises the process's soft limit of open files if the connections need it.
  [[nodiscard]] static expected<std::unique_ptr<transport>> start(const transport_options& options);
  ~transport();
  transport(const transport&) = delete;
  transport& operator=(const transport&) = delete;

  /// Begins an exchange; `reader` takes the body. The id is for `cancel`. After `stop`, `done` is called at once, on
  /// this thread, with `ec::cancelled`.
  uint64_t submit(http_call call, std::shared_ptr<reply_reader> reader, on_done done);

  /// Ends an exchange with `ec::cancelled`; does nothing if the exchange has ended already.
  void cancel(uint64_t id);

  /// Ends every exchange with `ec::cancelled` and the thread with it. Idempotent.
  void stop();

  /// Exchanges that were submitted and have not ended.
  [[nodiscard]] uint64_t in_flight() const noexcept;

 private:
  class loop;
  explicit transport(std::unique_ptr<loop> running);
  std::unique_ptr<loop> loop_;
};

}  // namespace cohort::claude
