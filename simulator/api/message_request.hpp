// Reads a Messages request and checks it as the provider would: the first fault found is the answer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/api/price_list.hpp"
#include "simulator/api/prompt_cache.hpp"

namespace simdjson::dom {
class element;
class parser;
}  // namespace simdjson::dom

namespace cohort::simulator {

/// An error answer of the API.
struct api_problem {
  unsigned status = 400;
  std::string_view type;  ///< `error.type`; static text.
  std::string message;
  std::string_view code = {};  ///< `error.details.error_code`, unless empty; static text.
};

/// What a request asks for. Reused from request to request, so that its strings keep their memory.
struct message_request {
  const served_model* model = nullptr;
  uint64_t max_tokens = 0;
  bool stream = false;
  bool us_inference = false;
  uint64_t prompt_bytes = 0;  ///< Text of `system` and `messages` together.
  std::string text;           ///< Text of all messages, one after the other.
  std::vector<cache_breakpoint> breakpoints;

  /// Plausible size in tokens: about 2.5 characters each, and a few around them.
  [[nodiscard]] uint64_t prompt_tokens() const noexcept;
};

/// Tokens of `bytes` bytes of text.
[[nodiscard]] constexpr uint64_t tokens_of(uint64_t bytes) noexcept { return (bytes * 2 + 4) / 5; }

enum class request_use : uint8_t { message, count_tokens };

/// Reads requests; keeps what can be reused between them.
class message_reader {
 public:
  explicit message_reader(const price_list& prices);
  message_reader(const message_reader&) = delete;
  message_reader& operator=(const message_reader&) = delete;
  ~message_reader();

  /// Fills `out` from `body`. False with `problem` set if the provider would refuse it.
  [[nodiscard]] bool read(std::string_view body, std::string_view version, request_use use, message_request& out,
                          api_problem& problem);

 private:
  [[nodiscard]] bool read_model(const simdjson::dom::element& root, message_request& out, api_problem& problem) const;
  [[nodiscard]] bool read_parameters(const simdjson::dom::element& root, std::string_view version, request_use use,
                                     message_request& out, api_problem& problem) const;
  [[nodiscard]] bool read_system(const simdjson::dom::element& root, message_request& out, api_problem& problem);
  [[nodiscard]] bool read_messages(const simdjson::dom::element& root, message_request& out, api_problem& problem);
  [[nodiscard]] bool read_content(const simdjson::dom::element& content, const std::string& where, std::string& text,
                                  message_request& out, api_problem& problem);
  [[nodiscard]] bool read_block(const simdjson::dom::element& block, const std::string& where, std::string& text,
                                message_request& out, api_problem& problem);
  void mark(const simdjson::dom::element& control, std::string_view text, message_request& out);

  const price_list* prices_;
  std::unique_ptr<simdjson::dom::parser> parser_;  ///< Grows with the largest body, and is reused.
  std::string system_;
  uint64_t chain_ = 0;        ///< Hash of everything before the first `hashed_` bytes.
  size_t hashed_ = 0;         ///< Bytes of the present text that `chain_` covers.
  size_t marked_length_ = 0;  ///< Bytes of earlier texts.
  size_t system_hashed_ = 0;
  bool system_pending_ = false;  ///< The end of `system` is not in `chain_` yet.
};

}  // namespace cohort::simulator
