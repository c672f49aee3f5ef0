// Parses with simdjson, which is several times faster, and again with nlohmann/json what simdjson refuses.
// nlohmann/json accepts a little more, such as a byte order mark and integers beyond 64 bits, and its result counts.
// Before either, one scan counts depth and number of values, because `[],` a million times becomes a hundred times its
// size in memory.

#include "claude/api/json.hpp"

#include <algorithm>

#include <simdjson.h>

namespace cohort::claude {

namespace {

constexpr size_t largest_fast = 1 << 20;  ///< In bytes. A thread's parser keeps several times as much memory.
constexpr size_t first_room = 1 << 14;

nlohmann::json to_value(const simdjson::dom::element& element) {
  using simdjson::dom::element_type;
  switch (element.type()) {
    case element_type::OBJECT: {
      nlohmann::json object = nlohmann::json::object();
      for (const auto& [key, value] : simdjson::dom::object{element}) object[std::string{key}] = to_value(value);
      return object;
    }
    case element_type::ARRAY: {
      nlohmann::json array = nlohmann::json::array();
      for (const auto& value : simdjson::dom::array{element}) array.push_back(to_value(value));
      return array;
    }
    case element_type::STRING: return std::string{std::string_view{element}};
    case element_type::INT64: {
      const int64_t number{element};
      if (number >= 0) return static_cast<uint64_t>(number);  // As nlohmann/json stores them.
      return number;
    }
    case element_type::UINT64: return uint64_t{element};
    case element_type::DOUBLE: return double{element};
    case element_type::BOOL: return bool{element};
    case element_type::NULL_VALUE: return nullptr;
  }
  return nullptr;
}

std::optional<nlohmann::json> parse_fast(std::string_view text, uint32_t depth) {
  if (text.empty() || text.size() > largest_fast) return std::nullopt;
  thread_local simdjson::dom::parser parser{largest_fast};
  const auto room = std::max(parser.capacity(), first_room);
  if (parser.max_depth() != depth && parser.allocate(room, depth) != simdjson::SUCCESS) return std::nullopt;
  const auto parsed = parser.parse(text.data(), text.size());
  if (parsed.error() != simdjson::SUCCESS) return std::nullopt;
  return to_value(parsed.value_unsafe());
}

/// Each value except the first comes after a comma, a colon or an opening bracket.
bool within_bounds(std::string_view text, uint32_t most_deep, uint64_t most_values) noexcept {
  uint32_t depth = 0;
  uint64_t values = 1;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      const auto next = text.find_first_of("\"\\", i);
      if (next == std::string_view::npos) break;
      i = next;
      if (text[i] == '\\')
        ++i;
      else
        quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',' || c == ':') {
      if (++values > most_values) return false;
    } else if (c == '[' || c == '{') {
      if (++depth > most_deep || ++values > most_values) return false;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return true;
}

}  // namespace

std::optional<nlohmann::json> parse_json(std::string_view text, uint32_t depth, uint32_t values) {
  if (!within_bounds(text, depth, values)) return std::nullopt;
  if (auto value = parse_fast(text, depth)) return value;
  auto value = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

const nlohmann::json& member(const nlohmann::json& object, const char* key) {
  static const nlohmann::json null;
  if (!object.is_object()) return null;
  const auto hit = object.find(key);
  return hit == object.end() ? null : *hit;
}

std::string text_at(const nlohmann::json& object, const char* key) {
  const auto& value = member(object, key);
  return value.is_string() ? value.get<std::string>() : std::string{};
}

}  // namespace cohort::claude
