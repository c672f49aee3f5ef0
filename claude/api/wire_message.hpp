// Builds a message from one JSON object or from a stream of events. Private to this room.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "claude/api/json.hpp"
#include "claude/api/settings.hpp"
#include "claude/api/sse.hpp"
#include "messages/request.hpp"

namespace cohort::claude {

/// `usage` as it comes: every field may be null, and in a stream later events replace earlier ones.
class usage_reader {
 public:
  explicit usage_reader(uint64_t most) : most_(most) {}
  /// Counts are cumulative, so a smaller one never replaces a larger one.
  void merge(const nlohmann::json& usage);
  /// Without counts, and of the tier `as_reserved`, if one is negative, not whole or absurd, or if input or output were
  /// never counted.
  [[nodiscard]] token_usage result(cache_mode cache) const;

 private:
  void count(const nlohmann::json& holder, const char* key, std::optional<uint64_t>& target);

  uint64_t most_;
  std::optional<uint64_t> input_;
  std::optional<uint64_t> output_;
  std::optional<uint64_t> written_;
  std::optional<uint64_t> written_5m_;
  std::optional<uint64_t> written_1h_;
  std::optional<uint64_t> read_;
  service_tier tier_ = service_tier::standard;
  bool us_ = false;
  bool absurd_ = false;
};

/// Reads `stop_reason`; values of a newer API, and null, are `unknown`.
[[nodiscard]] stop_reason stop_reason_from(const nlohmann::json& value);

/// A complete message, or the reason why it is not complete.
struct read_message {
  bool whole = false;     ///< Everything but, possibly, a credible `usage`.
  std::string complaint;  ///< Why not.
  completion message;     ///< As far as it could be read.
};

/// From the body of a non-streaming answer. `body` may be an API error or anything else.
[[nodiscard]] read_message message_from_json(const nlohmann::json& body, const wire_settings& settings,
                                             cache_mode cache);

/// Builds a message from the events of a stream.
class message_stream {
 public:
  message_stream(const wire_settings& settings, cache_mode cache)
      : settings_(settings), cache_(cache), parser_(settings.answer_bytes), usage_(settings.tokens_in_one_answer) {}

  /// False if an event, the text or the number of blocks breaks a bound.
  [[nodiscard]] bool feed(std::string_view bytes);
  void finish();
  [[nodiscard]] bool stopped() const noexcept { return stopped_; }  ///< `message_stop` has arrived.
  [[nodiscard]] uint64_t buffered() const noexcept { return parser_.buffered() + held_bytes_ + error_.size(); }
  /// The `error` event, verbatim, or empty.
  [[nodiscard]] const std::string& error_event() const noexcept { return error_; }
  [[nodiscard]] read_message result() const;

 private:
  void handle(std::string_view name, std::string_view data);
  void begin(const nlohmann::json& message);
  void append(const nlohmann::json& event, const std::string& text);

  wire_settings settings_;
  cache_mode cache_;
  sse_parser parser_;
  usage_reader usage_;
  std::map<uint64_t, std::string> blocks_;  ///< Text by the block's index.
  uint64_t text_bytes_ = 0;
  uint64_t held_bytes_ = 0;  ///< By `blocks_`.
  bool overflow_ = false;
  std::string model_;
  stop_reason stop_ = stop_reason::unknown;
  std::string error_;
  std::string complaint_;
  bool begun_ = false;
  bool stopped_ = false;
};

}  // namespace cohort::claude
