// Words to the user: results on stdout, the rest on stderr; with `--json` all that a script needs as events on stdout,
// too. Invariant: these are the only doors to a terminal. What passes is redacted, and whatever acts on a display is
// escaped, whoever wrote it; the program's own cursor movements have the last two doors.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "cli/exit_code.hpp"

namespace cohort::cli {

/// How this process speaks. A process has one stdout, so this is said once, before anything else.
struct speech {
  bool json = false;   ///< stdout holds JSON objects, one a line, and nothing else.
  bool quiet = false;  ///< Without effect on JSON.
};
void speak_as(speech how) noexcept;

/// A text whose line breaks are ours; foreign text in it has passed `printable`. In any other text line breaks are
/// escaped.
struct lines {
  std::string_view text;
};

/// "cohort: message" on stderr, with JSON also the event `error`; returns the exit code that belongs to the error.
int complain(const error& problem);

/// "cohort: warning: text" on stderr, with JSON also the event `warning`.
void warn(std::string_view text);

/// What everybody needs to know: a line on stderr, with JSON also the event `notice`.
void announce(std::string_view text);
void announce(lines text);

/// What is good to know: a line on stderr unless the process is quiet, or with JSON the event `notice`.
void inform(lines text);
void inform(std::string_view text);

/// One line on stderr, with JSON as well: about the process, not for scripts.
void notice(std::string_view text);
void notice(lines text);

/// Text on stdout, with its line breaks. Write errors (a closed pipe) are ignored: they must not end a run.
void print(std::string_view text);

/// One line on a terminal's stderr over the one that was drawn before, cut to the terminal's width.
void draw_line(std::string_view text);
/// Takes the drawn line away.
void erase_line();

/// From now on a reader who keeps a pipe open without reading, or a stopped terminal, is given half a second; then
/// nothing more is written there. Before, writing waits as long as it takes.
void wait_no_longer_for_readers() noexcept;

/// The exit code for an error that ended a command before or during a run.
[[nodiscard]] exit_code exit_code_for(ec code) noexcept;

/// Width of the terminal on stderr, or 0 if it is none.
[[nodiscard]] int terminal_width() noexcept;

}  // namespace cohort::cli
