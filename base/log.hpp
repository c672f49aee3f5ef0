// Writes the log file. Invariant: no registered secret gets into the file, and no character that acts on a terminal.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "base/error.hpp"

namespace cohort::inline base {

enum class log_level : uint8_t { debug, info, warning, error };

/// Sends log lines to the file `relative` below the folder `root`, which must exist. No link below `root` is followed.
/// Only this user can read the file and the folders that are made for it. The log is appended to, rotated at 10 MB, and
/// three old ones are kept. Without this call lines are dropped.
[[nodiscard]] expected<void> open_log(const std::filesystem::path& root, const std::filesystem::path& relative,
                                      log_level least);

/// Writes what is buffered; further lines are dropped.
void close_log() noexcept;

/// From now on `secret` is replaced by "[redacted]" in everything that passes `redact`. Short strings are ignored.
void register_secret(std::string_view secret);

/// `text` without any registered secret.
[[nodiscard]] std::string redact(std::string_view text);

/// One line, whatever `message` holds: secrets are redacted, line breaks and what acts on a display are escaped.
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

}  // namespace cohort::inline base
