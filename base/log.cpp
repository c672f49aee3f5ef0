// Writes the log file with spdlog. Registered secrets are replaced and control characters escaped before a line is
// written, and only this user can read the file.

#include "base/log.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <fcntl.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.hpp"
#include "base/text.hpp"

namespace cohort::inline base {

namespace {

constexpr size_t shortest_secret = 6;
constexpr uint64_t largest_log = 10 << 20;
constexpr int old_logs = 3;

/// Appends to a file in a folder that is held open, so that the log stays where it was when the folder is moved.
class private_file_sink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  private_file_sink(folder where, std::filesystem::path name) : where_(std::move(where)), name_(std::move(name)) {}

  [[nodiscard]] expected<void> open() {
    auto opened = where_.open_file(name_, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, access::own);
    if (!opened) return tl::unexpected{opened.error()};
    struct stat found {};
    if (::fstat(opened->get(), &found) != 0 || !S_ISREG(found.st_mode))
      return fail(ec::io, fmt::format("the log '{}' is not a regular file. Move it away",
                                      printable((where_.path() / name_).string(), 1000)));
    if (found.st_nlink > 1) {  // A hard link: the file may be another file of this user's.
      if (auto removed = where_.remove(name_); !removed) return removed;
      opened = where_.open_file(name_, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, access::own);
      if (!opened) return tl::unexpected{opened.error()};
      found.st_size = 0;
    }
    (void)::fchmod(opened->get(), S_IRUSR | S_IWUSR);  // An earlier version made the file readable by others.
    size_ = static_cast<uint64_t>(found.st_size);
    file_ = std::move(*opened);
    return {};
  }

 protected:
  /// A full disk must not stop a run through its log: what cannot be written is dropped.
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (size_ + line.size() > largest_log) rotate();
    const auto written = ::write(file_.get(), line.data(), line.size());
    if (written > 0) size_ += static_cast<uint64_t>(written);
  }
  void flush_() override {}

 private:
  [[nodiscard]] std::string old_name(int age) const {
    return age == 0 ? name_.string() : fmt::format("{}.{}{}", name_.stem().string(), age, name_.extension().string());
  }
  void rotate() {
    for (int age = old_logs; age > 0; --age)
      (void)::renameat(where_.fd(), old_name(age - 1).c_str(), where_.fd(), old_name(age).c_str());
    (void)open();
  }

  folder where_;
  std::filesystem::path name_;
  descriptor file_;
  uint64_t size_ = 0;
};

struct log_state {
  std::mutex guard;
  std::vector<std::string> secrets;
  std::shared_ptr<spdlog::logger> sink;
  std::atomic<bool> open{false};
  std::atomic<log_level> least{log_level::info};
};

log_state& state() {
  static log_state instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(log_level level) noexcept {
  switch (level) {
    case log_level::debug: return spdlog::level::debug;
    case log_level::info: return spdlog::level::info;
    case log_level::warning: return spdlog::level::warn;
    case log_level::error: return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

expected<void> open_log(const std::filesystem::path& root, const std::filesystem::path& relative, log_level least) {
  auto base = folder::open(root);
  if (!base) return tl::unexpected{base.error()};
  const auto below = relative.parent_path();
  auto where = below.empty() ? std::move(base) : base->make_sub(below, access::own);
  if (!where) return tl::unexpected{where.error()};
  auto sink = std::make_shared<private_file_sink>(std::move(*where), relative.filename());
  if (auto opened = sink->open(); !opened) return opened;
  auto logger = std::make_shared<spdlog::logger>("cohort", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %L %v");
  logger->set_level(spdlog_level(least));
  logger->set_error_handler([](const std::string&) {});
  const std::lock_guard lock{state().guard};
  state().sink = std::move(logger);
  state().least = least;
  state().open = true;
  return {};
}

void close_log() noexcept {
  const std::lock_guard lock{state().guard};
  state().open = false;
  if (state().sink) state().sink->flush();
  state().sink.reset();
}

void register_secret(std::string_view secret) {
  if (secret.size() < shortest_secret) return;
  const std::lock_guard lock{state().guard};
  state().secrets.emplace_back(secret);
}

std::string redact(std::string_view text) {
  std::string result{text};
  const std::lock_guard lock{state().guard};
  for (const auto& secret : state().secrets)
    for (auto at = result.find(secret); at != std::string::npos; at = result.find(secret, at))
      result.replace(at, secret.size(), "[redacted]");
  return result;
}

void write_log(log_level level, std::string_view message) {
  if (!state().open || level < state().least) return;
  const auto clean = printable(redact(message), SIZE_MAX);
  const std::lock_guard lock{state().guard};
  if (state().sink) state().sink->log(spdlog_level(level), "{}", clean);
}

}  // namespace cohort::inline base
