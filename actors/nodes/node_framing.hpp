// Orders and reports as bytes in parts. Invariant: a parcel is complete, in order and of one session. A sender ends one
// parcel before it begins the next, so a receiver keeps the parts of one.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "actors/messages/nodes.hpp"
#include "actors/nodes/message_checks.hpp"

namespace cohort::actors {

[[nodiscard]] std::string pack(const remote_order& order);
[[nodiscard]] std::string pack(const remote_report& report);

/// Nothing if the bytes are no such thing.
[[nodiscard]] std::optional<remote_order> unpack_order(const std::string& bytes);
[[nodiscard]] std::optional<remote_report> unpack_report(const std::string& bytes);

/// `bytes` in parts of at most `part_bytes`.
[[nodiscard]] std::vector<message_part> cut(const std::string& session, uint64_t parcel, message_kind kind,
                                            const std::string& bytes);

/// Joins the parts of one session in one direction. The parts have passed `fault_in`.
class message_joiner {
 public:
  /// The whole parcel, once its last part is there.
  [[nodiscard]] std::optional<std::string> add(const message_part& part);

  /// A part came out of order, or in the middle of another parcel: the sender breaks the protocol.
  [[nodiscard]] bool broken() const noexcept { return broken_; }

 private:
  std::string bytes_;
  uint64_t parcel_ = 0;
  uint32_t next_ = 0;  ///< Part of `parcel_` that comes next; 0: none is open.
  uint32_t count_ = 0;
  bool broken_ = false;
};

}  // namespace cohort::actors
