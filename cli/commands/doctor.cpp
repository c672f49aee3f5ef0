// `cohort doctor PROJECT`: one line a check, before money is spent.

#include <algorithm>
#include <memory>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "app/health/health.hpp"
#include "app/reports/json_output.hpp"
#include "base/text.hpp"
#include "cli/commands.hpp"
#include "cli/console.hpp"
#include "cli/options.hpp"

namespace cohort::cli {

namespace {

std::string text_of(const app::health_report& report) {
  std::string text;
  for (const auto& check : report) {
    text += fmt::format("{:<8} {:<13} {}", app::name(check.grade), check.what, printable(check.finding, 1000));
    text += check.advice.empty() ? "\n" : fmt::format(": {}\n", printable(check.advice, 1000));
  }
  const auto wrong = std::count_if(report.begin(), report.end(),
                                   [](const auto& check) { return check.grade == app::health_grade::wrong; });
  if (wrong == 0) return text + "A run can start.\n";
  return text + fmt::format("{} {} to mend before a run.\n", wrong, wrong == 1 ? "thing" : "things");
}

std::string as_json(const app::health_report& report, bool ok) {
  nlohmann::ordered_json value{{"ok", ok}, {"checks", nlohmann::ordered_json::array()}};
  for (const auto& check : report) {
    nlohmann::ordered_json line{{"check", check.what}, {"grade", app::name(check.grade)}, {"finding", check.finding}};
    if (!check.advice.empty()) line["advice"] = check.advice;
    value["checks"].push_back(std::move(line));
  }
  return app::indented(value);
}

exit_code code_for(const app::health_report& report) {
  auto code = exit_code::done;
  for (const auto& check : report) {
    if (check.grade != app::health_grade::wrong) continue;
    if (check.of_configuration) return exit_code::usage;
    code = exit_code::fatal;
  }
  return code;
}

int examine(const generate_options& options) {
  app::health_report report;
  if (const auto context = app::make_context(options.request); context) {
    app::check_project(*context, report);
    app::check_provider(*context, report);
  } else {
    const auto& problem = context.error();
    report.push_back({problem.code == ec::config_invalid ? "configuration" : "project", app::health_grade::wrong,
                      problem.message, "", exit_code_for(problem.code) == exit_code::usage});
  }
  const auto code = code_for(report);
  print(options.json ? as_json(report, code == exit_code::done) : text_of(report));
  return static_cast<int>(code);
}

}  // namespace

void add_doctor(CLI::App& app, command_action& chosen) {
  auto options = std::make_shared<generate_options>();
  auto* command = app.add_subcommand("doctor", "Check what a run needs before money is spent; asks one free question");
  command->add_option("project", options->request.project, "The project's directory")->required();
  auto& given = options->request.given;
  command->add_option_function<std::string>(
      "-m,--model", [&given](const std::string& name) { given["model"] = name; },
      "The model to ask for [as a run would]");
  add_provider(*command, options->request.provider, provider_options::name_only, "Options");
  command->add_flag("--json", options->json, "One JSON object on stdout");
  command->callback([options, &chosen] { chosen = [options] { return examine(*options); }; });
}

}  // namespace cohort::cli
