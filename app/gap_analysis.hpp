// Where a project lacks tests, and what of that a run would plan.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/notices.hpp"
#include "base/error.hpp"
#include "planning/survey/survey.hpp"

namespace cohort::app {

struct gap_request {
  std::filesystem::path project;
  uint32_t least_complexity = 5;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
};

/// What a run without options would find. Writes nothing.
[[nodiscard]] expected<planning::project_survey> find_gaps(const gap_request& request, notices& out);

}  // namespace cohort::app
