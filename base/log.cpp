// spdlog behind a door that redacts.

#include "base/log.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/spdlog.h>

namespace cohort {

namespace {

constexpr size_t shortest_secret = 6;

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

expected<void> open_log(const std::filesystem::path& file, log_level least) {
  try {
    auto sink = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(file.string(), 10 << 20, 3);
    auto logger = std::make_shared<spdlog::logger>("cohort", std::move(sink));
    logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e %L %v");
    logger->set_level(spdlog_level(least));
    logger->flush_on(spdlog::level::info);                 // What a killed run did is looked for here.
    logger->set_error_handler([](const std::string&) {});  // A full disk must not stop a run through its log.
    const std::lock_guard lock{state().guard};
    state().sink = std::move(logger);
    state().least = least;
    state().open = true;
    return {};
  } catch (const spdlog::spdlog_ex& failure) {
    return fail(ec::io, fmt::format("cannot open the log file: {}", failure.what()));
  }
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
  const auto clean = redact(message);
  const std::lock_guard lock{state().guard};
  if (state().sink) state().sink->log(spdlog_level(level), "{}", clean);
}

}  // namespace cohort
