// stdout and stderr through write(2): no buffers to lose, no signals, no exceptions.

#include "cli/console.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <climits>

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "base/log.hpp"
#include "base/text.hpp"

namespace cohort::cli {

namespace {

constexpr int patience_ms = 500;
constexpr size_t longest_line = 100'000;
constexpr int narrowest = 20;  ///< Columns.
constexpr int look_again_ms = 100;

speech manner;
std::atomic<bool> hurries = false;
std::array<std::atomic<bool>, 3> given_up{};  // By descriptor.

/// Waits until a small write would not block. False if nobody reads, and there is no more time to wait for them.
bool takes_more(int descriptor) {
  for (int waited = 0;;) {
    pollfd waiting{descriptor, POLLOUT, 0};
    const int ready = ::poll(&waiting, 1, look_again_ms);
    if (ready > 0 || (ready < 0 && errno != EINTR)) return true;  // An error shows in the write itself.
    if (hurries) waited += look_again_ms;
    if (waited >= patience_ms) return false;
  }
}

/// In pieces that a pipe takes whole, so that no write blocks after `takes_more`.
void write_to(int descriptor, std::string_view text) {
  auto& lost = given_up.at(static_cast<size_t>(descriptor));
  while (!text.empty() && !lost) {
    if (!takes_more(descriptor)) {
      lost = true;
      return;
    }
    const auto written = ::write(descriptor, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void print_event(std::string_view kind, std::string_view text) {
  auto event = app::new_event(kind);
  event["message"] = text;
  print(app::on_one_line(event));
}

}  // namespace

void speak_as(speech how) noexcept { manner = how; }

exit_code exit_code_for(ec code) noexcept {
  switch (code) {
    case ec::none: return exit_code::done;
    case ec::usage:
    case ec::config_invalid:
    case ec::no_credentials:
    case ec::model_unknown:
    case ec::not_found:
    case ec::state_missing:
    case ec::state_untrusted:
    case ec::limit_too_low:
    case ec::certificate_refused:
    case ec::protocol_mismatch: return exit_code::usage;
    case ec::state_locked: return exit_code::locked;
    case ec::limit_reached: return exit_code::stopped_by_limit;
    case ec::interrupted: return exit_code::interrupted;
    default: return exit_code::fatal;
  }
}

int complain(const error& problem) {
  const auto text = problem.message.empty() ? std::string{sentence(problem.code)} : problem.message;
  log_error("{}", text);
  notice("cohort: " + text);
  if (manner.json) {
    auto event = app::new_event("error");
    event["code"] = name(problem.code);
    event["message"] = text;
    print(app::on_one_line(event));
  }
  return to_int(exit_code_for(problem.code));
}

void warn(std::string_view text) {
  if (manner.json) print_event("warning", text);
  notice(fmt::format("cohort: warning: {}", text));
}

void announce(std::string_view text) {
  if (manner.json) print_event("notice", text);
  notice(text);
}

void announce(lines text) {
  if (manner.json) print_event("notice", text.text);
  notice(text);
}

void inform(std::string_view text) {
  if (manner.json) return print_event("notice", text);
  if (!manner.quiet) notice(text);
}

void inform(lines text) {
  if (manner.json) return print_event("notice", text.text);
  if (!manner.quiet) notice(text);
}

void notice(std::string_view text) { write_to(STDERR_FILENO, printable(redact(text), longest_line) + "\n"); }

void notice(lines text) { write_to(STDERR_FILENO, printable_lines(redact(text.text)) + "\n"); }

void print(std::string_view text) { write_to(STDOUT_FILENO, printable_lines(redact(text))); }

void draw_line(std::string_view text) {
  const auto width = static_cast<size_t>(std::max(narrowest, terminal_width()));
  auto line = printable(redact(text), longest_line);
  if (line.size() >= width) line.resize(width - 1);
  write_to(STDERR_FILENO, "\r" + line + "\x1b[K");
}

void erase_line() { write_to(STDERR_FILENO, "\r\x1b[K"); }

void wait_no_longer_for_readers() noexcept { hurries = true; }

int terminal_width() noexcept {
  winsize size{};
  if (::isatty(STDERR_FILENO) == 0 || ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0) return 0;
  return size.ws_col == 0 ? 80 : size.ws_col;
}

}  // namespace cohort::cli
