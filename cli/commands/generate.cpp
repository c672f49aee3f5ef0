// Looks at the state, then runs, and tells how the run ended.

#include "cli/commands/generate.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "app/reports/json_output.hpp"
#include "app/reports/run_report.hpp"
#include "app/run_lifecycle.hpp"
#include "base/text.hpp"
#include "cli/commands/dry_run.hpp"
#include "cli/commands/stats_and_clean.hpp"
#include "cli/console.hpp"
#include "cli/screen/nodes_file.hpp"
#include "cli/screen/notices_on_console.hpp"
#include "cli/signals.hpp"

namespace cohort::cli {

namespace {

/// What the user can do about what stopped a run.
std::string_view advice_for(ec code, std::string_view provider) {
  if (const auto advice = app::provider_named(provider).advice_after(code); !advice.empty()) return advice;
  if (code == ec::disk_full) return "Free some space and run the same command: it continues.";
  return "Nothing that was paid is lost. The same command continues; .claude-testing/logs/cohort.log has the details.";
}

std::string closing_message(const app::ended_run& end, std::string_view provider) {
  const auto& outcome = end.outcome;
  const auto tasks = end.run.tasks();
  const auto message = printable(outcome.message, 2000);
  switch (outcome.status) {
    case run_status::finished:
      return tasks.failed == 0
                 ? "Done."
                 : fmt::format("Finished; {} tasks failed. The same command tries them again.", tasks.failed);
    case run_status::stopped_by_limit:
      return fmt::format("Stopped by a limit: {}.\nRaise it and run the same command to continue.", message);
    case run_status::interrupted: return message + ".";
    case run_status::failed: return fmt::format("Stopped: {}\n{}", message, advice_for(outcome.code, provider));
    case run_status::running: return {};
  }
  return {};
}

int conclude(const generate_options& options, const app::ended_run& end) {
  if (options.json)
    print(app::on_one_line(app::summary_event(end.run, end.open)));
  else
    print(app::run_table(end.run, end.open, options.style()) +
          fmt::format("  tests      {}\n", printable(end.tests.string(), 1000)));
  notice(lines{closing_message(end, options.request.provider.name)});
  if (end.outcome.code == ec::interrupted) return to_int(exit_code::interrupted);
  if (end.outcome.status == run_status::failed) return to_int(exit_code::fatal);
  if (end.outcome.status == run_status::stopped_by_limit) return to_int(exit_code::stopped_by_limit);
  return to_int(end.run.tasks().failed > 0 ? exit_code::failed_tasks : exit_code::done);
}

int run(const app::project_context& context, const generate_options& options, const app::stored_state& looked_at,
        const app::resolved_run& how, app::notices& out) {
  app::stop_handler stop{context.workspace, out, to_int(exit_code::interrupted)};
  block_signals();
  const signal_watch watch{[&](app::stop_request request) { stop.heed(request); }, app::grace_of(context)};
  const auto make_sink = [&](const run_settings& settings, bool listens) {
    auto sink = make_screen({options.level(), options.json, options.request.shows_batches, settings});
    return listens ? with_nodes_file(std::move(sink), context.workspace.nodes_file()) : sink;
  };
  const auto level = options.verbose ? log_level::debug : log_level::info;
  const auto end = app::run_project(context, looked_at, how, {out, stop, level, make_sink});
  if (!end) return complain(end.error());
  return *end ? conclude(options, **end) : to_int(exit_code::done);
}

}  // namespace

int generate(const generate_options& options) {
  speak_as({options.json, options.quiet});
  notices_on_console out{{options.json, options.verbose}};
  const auto context = app::make_context(options.request);
  if (!context) return complain(context.error());
  if (options.stats) return show_stats(*context, options, out);
  if (options.clean) return clean(*context, options);
  const auto stored = app::look_before_run(*context);
  if (!stored) return complain(stored.error());
  if (options.dry_run) return dry_run(*context, *stored, options, out);
  // What the options say of limits and models is refused before anything is written.
  const auto how = app::resolve_run(*context, *stored);
  if (!how) return complain(how.error());
  if (auto fine = app::check_output(*context, how->settings, stored->run); !fine) return complain(fine.error());
  const int code = run(*context, options, *stored, *how, out);
  close_log();
  return code;
}

}  // namespace cohort::cli
