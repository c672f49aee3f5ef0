// Task identities in and out of text.

#include "messages/task_id.hpp"

#include <charconv>

#include <fmt/format.h>

namespace cohort::inline messages {

task_id task_id_from(const digest& value) noexcept {
  task_id id;
  for (size_t i = 0; i < 8; ++i) {
    id.high = id.high << 8 | value.bytes[i];
    id.low = id.low << 8 | value.bytes[i + 8];
  }
  return id;
}

std::string to_string(const task_id& id) { return fmt::format("{:016x}{:016x}", id.high, id.low); }

task_id task_id_from_hex(std::string_view hex) noexcept {
  const auto word = [](std::string_view digits, uint64_t& value) {
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    return failed == std::errc{} && end == digits.data() + digits.size();
  };
  task_id id;
  if (hex.size() != 32 || !word(hex.substr(0, 16), id.high) || !word(hex.substr(16), id.low)) return {};
  return id;
}

}  // namespace cohort::inline messages
