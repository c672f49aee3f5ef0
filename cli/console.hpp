// Words to the user: results on stdout, the rest on stderr; with `--json` all that a script needs as events on stdout,
// too. Everything is printable and redacted.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cli/exit_code.hpp"

namespace cohort {

/// How this process speaks. A process has one stdout, so this is said once, before anything else.
struct speech {
  bool json = false;   ///< stdout holds JSON objects, one a line, and nothing else.
  bool quiet = false;  ///< Without effect on JSON.
};
void speak_as(speech how) noexcept;

/// "cohort: message" on stderr, with JSON also the event `error`; returns the exit code that belongs to the error.
int complain(const error& problem);

/// "cohort: warning: text" on stderr, with JSON also the event `warning`.
void warn(std::string_view text);

/// What everybody needs to know: a line on stderr, with JSON also the event `notice`.
void announce(std::string_view text);

/// What is good to know: a line on stderr unless the process is quiet, or with JSON the event `notice`.
void inform(std::string_view text);

/// One line on stderr, with JSON as well: about the process, not for scripts.
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
