// Writes a survey's gaps for people and programs (`analyze-gaps -f json|markdown|text`), and reads the JSON back
// (`--gap-report`), which limits a later survey to the files and symbols that it lists.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::planning {

enum class report_format : uint8_t { json, markdown, text };

/// "json", "markdown", "text"; otherwise `ec::usage`.
[[nodiscard]] expected<report_format> report_format_named(std::string_view name);

/// The whole report, ending with a line break. Deterministic; paths that are not UTF-8 are shown with U+FFFD.
[[nodiscard]] std::string write_gap_report(const project_survey& found, report_format format);

struct reported_gap {
  std::string path;                  ///< Relative to the project.
  std::vector<std::string> symbols;  ///< Untested; never empty.
  uint32_t complexity = 1;           ///< 1 to 10.
};

struct gap_report {
  std::vector<reported_gap> gaps;
};

/// Reads a report. `ec::config_invalid` for a wrong type or range, a path that leaves the project, or a file named
/// twice.
[[nodiscard]] expected<gap_report> parse_gap_report(std::string_view json, const std::string& name);
[[nodiscard]] expected<gap_report> read_gap_report(const std::filesystem::path& file);

/// Removes from `found` all gaps and symbols that `report` does not list. Returns sentences for the user about what the
/// report lists although the project no longer lacks it.
[[nodiscard]] std::vector<std::string> restrict_to(project_survey& found, const gap_report& report);

}  // namespace cohort::planning
