// Holds the constants of this room, from `config/defaults.json`, key "claude". No limit stands in the code.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"

namespace cohort::claude {

/// Bounds of what is sent, and of what is read from a server that may be faulty or hostile.
struct wire_settings {
  uint32_t stream_above_max_tokens = 0;  ///< Larger `max_tokens` are asked for as a stream.
  uint64_t request_bytes = 0;            ///< Largest request body; the API refuses above it.
  uint64_t answer_bytes = 0;             ///< Largest answer body, and largest text of a stream, whatever was asked.
  uint64_t answer_floor_bytes = 0;       ///< An answer may have this many bytes, and
  uint64_t answer_bytes_per_token = 0;   ///< this for each token of `max_tokens`, up to `answer_bytes`.
  uint64_t error_bytes = 0;              ///< Of the body of a failure; the rest is not read.
  uint64_t header_bytes = 0;             ///< All response headers of one request together.
  uint32_t header_lines = 0;             ///< The same, counted.
  uint32_t json_depth = 0;
  uint32_t json_values = 0;           ///< In one body or event, keys included.
  uint32_t content_blocks = 0;        ///< In one answer: an answer with larger indices is refused.
  uint64_t tokens_in_one_answer = 0;  ///< A `usage` with a larger count is not believed.
};

/// `all` with the bound of an answer to a request with `max_tokens`.
[[nodiscard]] wire_settings bounds_for(const wire_settings& all, uint32_t max_tokens) noexcept;

struct transport_settings {
  milliseconds connect_timeout{0};
  uint32_t connections = 0;         ///< Open at once; bounded further by the process's file descriptors.
  milliseconds idle_connection{0};  ///< A connection that was idle for longer is not used again.
  uint64_t buffered_bytes = 0;      ///< Answers of all requests together, as far as they are in memory.
  milliseconds stream_grace{0};     ///< How long a stream may stay open after its last event.
};

struct retry_settings {
  uint32_t attempts = 0;  ///< In all, the first included.
  milliseconds first_delay{0};
  milliseconds longest_delay{0};
  uint32_t jitter_percent = 0;  ///< The delay is shortened by up to this part.
  milliseconds longest_elapsed{0};
};

struct rate_settings {
  milliseconds window{0};         ///< The time over which the provider's limits count: a minute.
  uint32_t refill_percent = 0;    ///< How much of the allowed rate is used.
  uint32_t headroom_percent = 0;  ///< What is left in a bucket when it is filled up from a header.
  uint32_t first_in_flight = 0;   ///< Where the slow start begins, when nothing is known of the limits.
  milliseconds pace{0};           ///< Until the first answer, one more request may be in flight after each such time.
  uint32_t heard_in_flight = 0;   ///< Where the slow start goes on after the first answer.
  milliseconds double_every{0};   ///< The slow start at least doubles in this time.
  milliseconds idle{0};           ///< After this long without a request the slow start begins again.
  milliseconds default_pause{0};
  uint32_t pause_jitter_percent = 0;
};

struct breaker_settings {
  uint32_t failures_to_open = 0;  ///< In a row.
  milliseconds first_open{0};
  milliseconds longest_open{0};
};

struct claude_settings {
  std::string base_url;
  std::string api_version;
  wire_settings wire;
  transport_settings transport;
  retry_settings retry;
  rate_settings rate_limit;
  breaker_settings breaker;
};

/// Reads the key "claude" of `file`. `ec::config_invalid` names the file and the field.
[[nodiscard]] expected<claude_settings> load_claude_settings(const std::filesystem::path& file);

/// From `config_directory() / "defaults.json"`.
[[nodiscard]] expected<claude_settings> load_claude_settings();

}  // namespace cohort::claude
