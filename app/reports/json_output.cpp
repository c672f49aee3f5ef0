// JSON for people and their scripts.

#include "app/reports/json_output.hpp"

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/text.hpp"

namespace cohort::app {

using nlohmann::ordered_json;

std::string indented(const ordered_json& value) {
  return printable_json(value.dump(2, ' ', false, ordered_json::error_handler_t::replace)) + "\n";
}

ordered_json new_event(std::string_view kind) { return {{"event", kind}, {"time", to_iso8601(wall_now())}}; }

std::string on_one_line(const ordered_json& value) {
  return printable_json(value.dump(-1, ' ', false, ordered_json::error_handler_t::replace)) + "\n";
}

}  // namespace cohort::app
