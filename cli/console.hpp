// Words to the user: errors and notices on stderr, results on stdout. Everything is printable and redacted.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cli/exit_code.hpp"

namespace cohort {

/// "cohort: message" on stderr; returns the exit code that belongs to the error.
int complain(const error& problem);

/// One line on stderr.
void notice(std::string_view text);

/// Text on stdout, as it is. Write errors (a closed pipe) are ignored: they must not end a run.
void print(std::string_view text);

/// A piece of a line that is drawn over itself, on stderr as it is.
void draw(std::string_view text);

/// From now on a reader who keeps a pipe open without reading, or a stopped terminal, is given half a second; then
/// nothing more is written there. Before, writing waits as long as it takes.
void wait_no_longer_for_readers() noexcept;

/// The exit code for an error that ended a command before or during a run.
[[nodiscard]] exit_code exit_code_for(ec code) noexcept;

/// Width of the terminal on stderr, or 0 if it is none.
[[nodiscard]] int terminal_width() noexcept;

}  // namespace cohort
