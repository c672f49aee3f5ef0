// Parses JSON that may be hostile. Private to this room: no public header includes this one.
// Invariant: nothing is built from text that is nested deeper, or holds more values, than the limits allow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace cohort::claude {

/// So many values take some tens of megabytes at most; text from a server has a lower limit.
inline constexpr uint32_t most_json_values = 100'000;

/// The value in `text`, or nothing if it is not JSON, not UTF-8, nested deeper than `depth` or of more than `values`
/// values, keys included.
[[nodiscard]] std::optional<nlohmann::json> parse_json(std::string_view text, uint32_t depth,
                                                       uint32_t values = most_json_values);

/// The member `key` if `object` is an object that has it, else null.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* key);

/// The string at `key`, or empty.
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);

}  // namespace cohort::claude
