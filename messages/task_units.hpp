// What of its source a task asks for, so that a later reader can tell whether newer tasks asked for the same.
// A unit is a function, a class, or a method; it is known by its name, never by its place in the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "messages/task.hpp"

namespace cohort::inline messages {

/// The trait of a task that holds its packed units.
inline constexpr const char* units_trait = "units";

/// Names by the first 40 bits of their SHA-256, each list ascending and without repetitions.
struct task_units {
  std::vector<uint64_t> asked;    ///< What the task asks for.
  std::vector<uint64_t> present;  ///< What its source had when it was planned; holds all of `asked`.
};

/// The units by their full names. More than 2000 of them are not packed: empty.
[[nodiscard]] std::string pack_units(const std::vector<std::string>& asked, const std::vector<std::string>& present);

/// Nothing if the task was planned without them, or if the trait cannot be read.
[[nodiscard]] std::optional<task_units> units_of(const task_spec& task);

/// True if each element of `part` is in `whole`. Both ascending.
[[nodiscard]] bool is_within(const std::vector<uint64_t>& part, const std::vector<uint64_t>& whole) noexcept;

}  // namespace cohort::inline messages
