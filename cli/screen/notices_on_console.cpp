// Each kind of notice goes where console.hpp says.

#include "cli/screen/notices_on_console.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "app/reports/plan_report.hpp"
#include "base/clock.hpp"
#include "cli/console.hpp"

namespace cohort::cli {

namespace {
constexpr milliseconds between_lines{200};
}

void notices_on_console::tell(app::notice_kind kind, std::string_view text) {
  switch (kind) {
    case app::notice_kind::good_to_know: return cli::inform(text);
    case app::notice_kind::need_to_know: return cli::announce(text);
    case app::notice_kind::warning: return cli::warn(text);
    case app::notice_kind::of_the_process: return notice(text);
  }
}

void notices_on_console::tell_lines(app::notice_kind kind, std::string_view text) {
  switch (kind) {
    case app::notice_kind::good_to_know: return cli::inform(lines{text});
    case app::notice_kind::need_to_know: return cli::announce(lines{text});
    case app::notice_kind::warning: return cli::warn(text);
    case app::notice_kind::of_the_process: return notice(lines{text});
  }
}

void notices_on_console::planned(const app::plan_outline& plan) {
  if (how_.json) return print(app::on_one_line(app::plan_event(plan)));
  auto text = app::describe(plan, how_.verbose);
  text.pop_back();  // The last line's end.
  cli::inform(lines{text});
}

void notices_on_console::reading(size_t done, size_t total) {
  if (terminal_width() == 0) return;
  const auto now = steady_clock::now();
  if (now - drawn_ < between_lines && done != total) return;
  drawn_ = now;
  if (done == total) return erase_line();
  draw_line(fmt::format("reading the project: {} of {} files", done, total));
}

void notices_on_console::hurry() noexcept { wait_no_longer_for_readers(); }

}  // namespace cohort::cli
