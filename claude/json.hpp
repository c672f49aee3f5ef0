// Reading JSON that may be hostile. Private to this room: no public header includes it.
// Invariant: nothing is built from text that is nested deeper than the limit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace cohort {

/// The value in `text`, or nothing if it is not JSON, not UTF-8 or nested deeper than `depth`.
[[nodiscard]] std::optional<nlohmann::json> parse_json(std::string_view text, uint32_t depth);

/// The member `key` if `object` is an object that has it, else null.
[[nodiscard]] const nlohmann::json& member(const nlohmann::json& object, const char* key);

/// The string at `key`, or empty.
[[nodiscard]] std::string text_at(const nlohmann::json& object, const char* key);

}  // namespace cohort
