// Translation at the border of the actor framework.

#include "actors/caf/caf_error.hpp"

#include <caf/atom.hpp>
#include <caf/deep_to_string.hpp>
#include <caf/make_message.hpp>

namespace cohort::actors {

namespace {

constexpr auto category = caf::atom("cohort");

}  // namespace

caf::error to_caf(const error& problem) {
  return caf::error{static_cast<uint8_t>(problem.code), category, caf::make_message(problem.message)};
}

error from_caf(const caf::error& problem) {
  if (problem.category() != category)
    return {ec::worker_lost,
            "an actor did not answer: " + caf::to_string(problem.category()) + " " + std::to_string(problem.code())};
  const auto& context = problem.context();
  return {static_cast<ec>(problem.code()), context.match_elements<std::string>() ? context.get_as<std::string>(0) : ""};
}

}  // namespace cohort::actors
