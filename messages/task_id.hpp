// Who a task is. Identity goes by content, never by position in a list.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/digest.hpp"

namespace cohort::inline messages {

/// The first 128 bits of a SHA-256 over everything that the task's answer depends on.
struct task_id {
  uint64_t high = 0;
  uint64_t low = 0;

  friend constexpr auto operator<=>(const task_id&, const task_id&) = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, task_id& x) {
  return f(x.high, x.low);
}

[[nodiscard]] task_id task_id_from(const digest& value) noexcept;

/// 32 lower-case hexadecimal digits.
[[nodiscard]] std::string to_string(const task_id& id);

/// Inverse of `to_string`; all zero if `hex` is not 32 hexadecimal digits.
[[nodiscard]] task_id task_id_from_hex(std::string_view hex) noexcept;

}  // namespace cohort::inline messages

template <>
struct std::hash<cohort::task_id> {
  size_t operator()(const cohort::task_id& id) const noexcept { return id.high ^ (id.low * 0x9E3779B97F4A7C15ULL); }
};
