// Defines what an HTTP exchange is to this room, without a library's types, so that wire and transport can share it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace cohort::claude {

/// Status and the few response headers that we read.
struct http_head {
  uint16_t status = 0;                                      ///< 0: no answer began.
  std::vector<std::pair<std::string, std::string>> fields;  ///< Names in lower case, in order of arrival.

  /// The first value of `name` (lower case), or empty.
  [[nodiscard]] std::string_view find(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields)
      if (key == name) return value;
    return {};
  }
};

/// How an exchange ended.
struct http_end {
  ec code = ec::none;       ///< `ec::none`: the answer arrived to its end.
  std::string message;      ///< Why not, if `code` is set.
  bool sent_whole = false;  ///< The last byte of the request was handed to the network: it can be billed.
  http_head head;
};

/// Whether a reader wants more of a body.
enum class reader_demand : uint8_t {
  more,
  complete,  ///< The answer is complete; ignore what follows.
  refuse,    ///< The body breaks a bound; stop reading.
};

/// Takes an answer as it arrives. Called on the transport's thread only.
class reply_reader {
 public:
  reply_reader() = default;
  reply_reader(const reply_reader&) = delete;
  reply_reader& operator=(const reply_reader&) = delete;
  virtual ~reply_reader() = default;

  [[nodiscard]] virtual reader_demand feed(const http_head& head, std::string_view bytes) = 0;
  /// Bytes held in memory for this answer.
  [[nodiscard]] virtual uint64_t buffered() const noexcept = 0;
  /// Frees that memory; nothing is fed after this.
  virtual void discard() noexcept = 0;
};

}  // namespace cohort::claude
