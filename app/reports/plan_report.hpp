// What is said of a plan: lines for people, and the event `plan`.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "app/plan_builder.hpp"

namespace cohort::app {

/// A few lines about what was found, what was left out and why, and what was delivered before.
[[nodiscard]] std::string describe(const plan_outline& plan, bool verbose);

/// Why a plan without tasks has none.
[[nodiscard]] std::string nothing_to_do(const plan_outline& plan);

/// The event `plan`, without batches and models.
[[nodiscard]] nlohmann::ordered_json plan_event(const plan_outline& plan);

/// Adds the batches and the cost of all.
void put_batches(nlohmann::ordered_json& event, const std::vector<planned_batch>& batches);

}  // namespace cohort::app
