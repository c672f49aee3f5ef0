// Runs one HTTP exchange on one libcurl handle and decides how the exchange ended. Private to this room.
// Invariant: the body is given to libcurl once; a second attempt of libcurl's own is aborted before it begins.
#pragma once

#include <array>
#include <memory>

#include <curl/curl.h>

#include "claude/api/transport.hpp"

namespace cohort::claude {

/// Bytes of answers in memory, over all exchanges of a loop.
struct memory_budget {
  uint64_t used = 0;
  uint64_t limit = 0;
  std::function<void()>
      relieve;  ///< Called while more is used than allowed: makes the largest exchanges give up their bytes.
};

class exchange {
 public:
  enum class verdict : uint8_t { running, complete, body_refused, headers_refused, memory_refused, resend_refused };

  exchange(uint64_t id, http_call call, std::shared_ptr<reply_reader> reader, transport::on_done done);
  ~exchange();
  exchange(const exchange&) = delete;
  exchange& operator=(const exchange&) = delete;

  /// Sets on a new handle what all exchanges share.
  static void prepare(CURL* easy, const transport_options& options);

  /// Starts this exchange on `easy`. `budget` and `on_complete` must outlive the exchange.
  void begin(CURL* easy, const transport_options& options, memory_budget& budget, milliseconds remaining,
             std::function<void(uint64_t)>* on_complete);

  /// Translates libcurl's result. Call once, then `done`.
  [[nodiscard]] http_end end(CURLcode result);
  /// Ends an exchange that we stopped ourselves.
  [[nodiscard]] http_end stopped(ec code, std::string message);
  /// Gives up what was read, because all answers together take too much; the exchange then ends as unusable.
  void forfeit();
  void done(http_end how) { done_(std::move(how)); }

  [[nodiscard]] uint64_t id() const noexcept { return id_; }
  /// What it could give up: nothing once its answer is whole.
  [[nodiscard]] uint64_t forfeitable() const noexcept { return verdict_ == verdict::running ? counted_ : 0; }
  [[nodiscard]] CURL* easy() const noexcept { return easy_; }
  [[nodiscard]] verdict outcome() const noexcept { return verdict_; }
  /// Time left of the whole exchange.
  [[nodiscard]] milliseconds remaining(steady_time now) const noexcept;
  /// Returns the handle, for the next exchange.
  CURL* release() noexcept;

 private:
  static size_t give(char* buffer, size_t size, size_t count, void* self);
  static size_t take(char* bytes, size_t size, size_t count, void* self);
  static size_t take_header(char* bytes, size_t size, size_t count, void* self);
  static int before_request(void* self, char*, char*, int, int);

  void count_memory();
  size_t on_body(std::string_view bytes);
  size_t on_header(std::string_view line);
  [[nodiscard]] ec code_of(CURLcode result) const noexcept;
  [[nodiscard]] std::string message_of(CURLcode result, ec code) const;

  uint64_t id_;
  http_call call_;
  std::shared_ptr<reply_reader> reader_;
  transport::on_done done_;
  steady_time submitted_ = steady_clock::now();
  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  memory_budget* budget_ = nullptr;
  std::function<void(uint64_t)>* on_complete_ = nullptr;
  uint64_t counted_ = 0;  ///< What this exchange has counted in the budget.
  size_t given_ = 0;
  bool sent_whole_ = false;
  bool connected_ = false;
  uint64_t header_bytes_ = 0;
  uint64_t header_limit_ = 0;
  uint32_t header_lines_ = 0;
  uint32_t header_lines_limit_ = 0;
  http_head head_;
  verdict verdict_ = verdict::running;
  std::array<char, CURL_ERROR_SIZE> complaint_{};
};

}  // namespace cohort::claude
