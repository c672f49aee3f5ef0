// `cohort doctor`: what has to be right before money is spent, one check after the other. Nothing is written that
// stays.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/project_context.hpp"

namespace cohort::app {

enum class health_grade : uint8_t {
  good,
  unsure,   ///< A run is possible; something is worth knowing.
  wrong,    ///< A run would fail or do harm.
  unasked,  ///< Could not be looked at, because of another check.
};

/// Snake-case name, as reports have it.
[[nodiscard]] std::string_view name(health_grade grade) noexcept;

/// One line of the report.
struct health_check {
  std::string what;  ///< "key", "model", ...
  health_grade grade = health_grade::good;
  std::string finding;            ///< The result in words, shown behind the name of the check.
  std::string advice;             ///< What to do now; empty if nothing.
  bool of_configuration = false;  ///< Wrong on the command line, in the environment or in config/.
};

using health_report = std::vector<health_check>;

/// Project, state, ledger, lock, disk, git, languages, test frameworks. Reads, and tries to write without a trace.
void check_project(const project_context& context, health_report& report);

/// Key, address, model and clock, by one free request.
void check_provider(const project_context& context, health_report& report);

}  // namespace cohort::app
