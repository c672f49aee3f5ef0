// Writes the lines of the bill, by hand because each request waits for its line.

#include "simulator/api/bill.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <cerrno>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/files.hpp"

namespace cohort::simulator {

bill_file::bill_file(bill_file&& other) noexcept
    : file_(std::exchange(other.file_, -1)), path_(std::move(other.path_)), line_(std::move(other.line_)) {}

bill_file& bill_file::operator=(bill_file&& other) noexcept {
  std::swap(file_, other.file_);
  std::swap(path_, other.path_);
  return *this;
}

bill_file::~bill_file() {
  if (file_ >= 0) ::close(file_);
}

expected<bill_file> bill_file::open(const std::filesystem::path& path) {
  bill_file bill;
  if (path.empty()) return bill;
  bill.path_ = path;
  bill.file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (bill.file_ < 0) return tl::unexpected(system_error(errno, "opening the bill", path));
  return bill;
}

expected<void> bill_file::add(const bill_entry& x) {
  if (file_ < 0) return {};
  line_.clear();
  fmt::format_to(std::back_inserter(line_), "{{\"time\":\"{}\",\"ordinal\":{},\"request_id\":\"{}\",\"model\":\"{}\"",
                 to_iso8601(wall_now()), x.ordinal, x.request_id, x.model);
  fmt::format_to(std::back_inserter(line_),
                 ",\"input_tokens\":{},\"cache_write_5m_tokens\":{},\"cache_write_1h_tokens\":{}"
                 ",\"cache_read_tokens\":{},\"output_tokens\":{},\"cost_nano_dollars\":{}",
                 x.tokens.input, x.tokens.write_5m, x.tokens.write_1h, x.tokens.read, x.tokens.output, x.cost.count);
  fmt::format_to(
      std::back_inserter(line_),
      ",\"prompt_sha256\":\"{}\",\"path\":\"{}\",\"outcome\":\"{}\",\"stop_reason\":\"{}\",\"tier\":\"{}\"}}\n",
      x.prompt_sha256, x.path, x.outcome, x.stop_reason, x.tier == price_tier::batch ? "batch" : "standard");
  ssize_t written = 0;
  do {
    written = ::write(file_, line_.data(), line_.size());
  } while (written < 0 && errno == EINTR);
  if (written < 0) return tl::unexpected(system_error(errno, "writing the bill", path_));
  if (static_cast<size_t>(written) != line_.size())
    return fail(ec::disk_full, fmt::format("writing the bill {}: only a part of a line fitted", path_.string()));
  return {};
}

}  // namespace cohort::simulator
