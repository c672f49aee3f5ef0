// JSON for people and their scripts.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace cohort::app {

/// Indented by two, with a line end; bytes that are no UTF-8 are replaced, and what acts on a display is escaped.
[[nodiscard]] std::string indented(const nlohmann::ordered_json& value);

/// What every event of `--json` begins with: its kind and the time.
[[nodiscard]] nlohmann::ordered_json new_event(std::string_view kind);

/// The same on one line with its end.
[[nodiscard]] std::string on_one_line(const nlohmann::ordered_json& value);

}  // namespace cohort::app
