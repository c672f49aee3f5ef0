// What comes over the wire is foreign input: every field of every message is checked here, at the moment of receipt,
// before an actor acts on it. Text that is shown is made safe to show at the same place.
#pragma once

#include <string>

#include "actors/messages/nodes.hpp"

namespace cohort::actors {

inline constexpr uint32_t most_node_slots = 10'000;
inline constexpr size_t most_held = 30'000;             ///< Attempts in one hello.
inline constexpr size_t part_bytes = 256U << 10;        ///< Of every part of a parcel but its last.
inline constexpr uint64_t largest_message = 48U << 20;  ///< A request or an answer, with all that belongs to it.
inline constexpr size_t largest_answer = 32U << 20;     ///< Its text.
inline constexpr uint32_t most_attempts = 1'000'000;    ///< Of one task.

// Each says what is wrong, for people; empty if nothing is.
[[nodiscard]] std::string fault_in(const node_hello& hello);
[[nodiscard]] std::string fault_in(const node_pulse& pulse);
[[nodiscard]] std::string fault_in(const message_part& part, message_kind wanted);
[[nodiscard]] std::string fault_in(const remote_report& report);
[[nodiscard]] std::string fault_in(const node_welcome& welcome);
[[nodiscard]] std::string fault_in(const remote_order& order);

// Texts that people are shown, cut to a line.
void make_showable(node_hello& hello);
void make_showable(node_pulse& pulse);
void make_showable(remote_report& report);
void make_showable(node_welcome& welcome);

/// A ledger's identity as a hello tells it: only who knows it recognises it. A coordinator must not learn for which
/// others a node keeps answers, for it could claim to be one of them.
[[nodiscard]] std::string veiled(const std::string& ledger_id, const std::string& session);

}  // namespace cohort::actors
