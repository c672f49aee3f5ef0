// Splits a byte stream, which may be cut anywhere, into server-sent events.
// Invariant: no more than the limit is ever buffered.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace cohort::claude {

/// Splits a stream into events, as the HTML standard's "event stream" says: LF, CR or CRLF, comments, several
/// `data` lines joined by LF, a byte order mark at the start.
class sse_parser {
 public:
  /// `name` is empty if the event has none.
  using on_event = std::function<void(std::string_view name, std::string_view data)>;

  explicit sse_parser(uint64_t limit) : limit_(limit) {}

  /// False once an event is larger than the limit; nothing is read after that.
  [[nodiscard]] bool feed(std::string_view bytes, const on_event& handle);

  /// To be called when the stream has ended: gives an event that lacks its closing blank line.
  void finish(const on_event& handle);

  [[nodiscard]] uint64_t buffered() const noexcept { return line_.size() + data_.size() + name_.size(); }

 private:
  void end_line(const on_event& handle);
  void dispatch(const on_event& handle);

  uint64_t limit_;
  std::string line_;
  std::string name_;
  std::string data_;
  bool has_data_ = false;
  bool after_cr_ = false;
  bool first_line_ = true;
  bool overflow_ = false;
};

}  // namespace cohort::claude
