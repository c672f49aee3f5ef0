// The log file. Invariant: a registered secret never reaches it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"

namespace cohort {

enum class log_level : uint8_t { debug, info, warning, error };

/// Sends log lines to `file` (appended, rotated at 10 MB, three kept). Without this call they are dropped.
[[nodiscard]] expected<void> open_log(const std::filesystem::path& file, log_level least);

/// Writes what is buffered; further lines are dropped.
void close_log() noexcept;

/// From now on `secret` is replaced by "[redacted]" in everything that passes `redact`. Short strings are ignored.
void register_secret(std::string_view secret);

/// `text` without any registered secret.
[[nodiscard]] std::string redact(std::string_view text);

/// One line; secrets are redacted.
void write_log(log_level level, std::string_view message);

template <class... Args>
void log_debug(fmt::format_string<Args...> format, Args&&... args) {
  write_log(log_level::debug, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(fmt::format_string<Args...> format, Args&&... args) {
  write_log(log_level::info, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warning(fmt::format_string<Args...> format, Args&&... args) {
  write_log(log_level::warning, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(fmt::format_string<Args...> format, Args&&... args) {
  write_log(log_level::error, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace cohort
