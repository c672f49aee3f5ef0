// A gap report that somebody edited (`--gap-report`).
// Claims: paths stay inside the project; a report written from what was read is read back as the same.

#include <algorithm>

#include "base/text.hpp"
#include "planning/survey/gap_report.hpp"
#include "tests/fuzz/harness.hpp"

namespace cohort::fuzz {

namespace {

/// A survey that finds what the report lists.
planning::project_survey survey_of(const planning::gap_report& report) {
  planning::project_survey found;
  for (const auto& gap : report.gaps) {
    languages::source_file file;
    file.path = gap.path;
    file.complexity = gap.complexity;
    planning::file_gap lacking;
    lacking.file = static_cast<uint32_t>(found.files.size());
    for (const auto& name : gap.symbols) {
      lacking.untested.push_back(static_cast<uint32_t>(file.symbols.size()));
      languages::symbol one;
      one.name = name;
      file.symbols.push_back(std::move(one));
    }
    found.files.push_back(std::move(file));
    found.gaps.push_back(std::move(lacking));
  }
  return found;
}

void check_path(std::string_view path) {
  holds(!path.empty() && path.front() != '/' && is_utf8(path), "a path is relative");
  holds(path.find('\0') == std::string_view::npos, "a path holds no NUL");
  holds(("/" + std::string{path} + "/").find("/../") == std::string::npos, "a path stays inside the project");
}

}  // namespace

void run(std::string_view input) {
  const auto report = planning::parse_gap_report(input, "report.json");
  if (!report) {
    holds(report.error().code == ec::config_invalid && is_utf8(report.error().message), "a refusal says why");
    return;
  }
  for (const auto& gap : report->gaps) {
    check_path(gap.path);
    holds(!gap.symbols.empty() && gap.complexity >= 1 && gap.complexity <= 10, "an entry is within its bounds");
  }
  auto found = survey_of(*report);
  const auto gaps = found.gaps.size();
  const auto again = planning::parse_gap_report(write_gap_report(found, planning::report_format::json), "again.json");
  holds(again && again->gaps.size() == gaps, "what was written can be read");
  for (size_t i = 0; i < gaps; ++i)
    holds(again->gaps[i].path == report->gaps[i].path && again->gaps[i].symbols == report->gaps[i].symbols,
          "what was written is read back as the same");
  for (const auto format : {planning::report_format::markdown, planning::report_format::text})
    holds(!write_gap_report(found, format).empty(), "there is something to show");
  holds(restrict_to(found, *report).empty() && found.gaps.size() == gaps, "a report does not restrict itself");
}

}  // namespace cohort::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  cohort::fuzz::run(cohort::fuzz::text_of_input(data, size));
  return 0;
}
