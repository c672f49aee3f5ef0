// Reads a stream line by line. A line is copied only while it is incomplete.

#include "claude/api/sse.hpp"

namespace cohort::claude {

bool sse_parser::feed(std::string_view bytes, const on_event& handle) {
  while (!bytes.empty() && !overflow_) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    const auto end = bytes.find_first_of("\r\n");
    line_.append(bytes.substr(0, end));
    overflow_ = buffered() > limit_;
    if (end == std::string_view::npos || overflow_) break;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
    end_line(handle);
  }
  return !overflow_;
}

void sse_parser::finish(const on_event& handle) {
  if (overflow_) return;
  if (!line_.empty()) end_line(handle);
  dispatch(handle);
}

void sse_parser::end_line(const on_event& handle) {
  std::string_view line = line_;
  if (first_line_ && line.substr(0, 3) == "\xEF\xBB\xBF") line.remove_prefix(3);
  first_line_ = false;
  if (line.empty()) {
    dispatch(handle);
  } else if (line.front() != ':') {
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
    if (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (field == "data") {
      if (has_data_) data_ += '\n';
      data_ += value;
      has_data_ = true;
    } else if (field == "event") {
      name_ = value;
    }
  }
  line_.clear();
}

void sse_parser::dispatch(const on_event& handle) {
  if (has_data_) handle(name_, data_);
  name_.clear();
  data_.clear();
  has_data_ = false;
}

}  // namespace cohort::claude
