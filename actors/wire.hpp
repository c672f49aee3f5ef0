// Orders and reports as bytes in parts. Invariant: a parcel is complete, in order and of one session, or it is dropped.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "messages/cluster.hpp"

namespace cohort {

inline constexpr size_t part_bytes = 256 << 10;
inline constexpr uint64_t largest_parcel = 256ULL << 20;

[[nodiscard]] std::string pack(const remote_order& order);
[[nodiscard]] std::string pack(const remote_report& report);

/// Nothing if the bytes are no such thing.
[[nodiscard]] std::optional<remote_order> unpack_order(const std::string& bytes);
[[nodiscard]] std::optional<remote_report> unpack_report(const std::string& bytes);

/// `bytes` in parts of at most `part_bytes`.
[[nodiscard]] std::vector<wire_part> cut(const std::string& session, uint64_t parcel, parcel_kind kind,
                                         const std::string& bytes);

/// Joins the parts of one session in one direction.
class parcel_joiner {
 public:
  /// The whole parcel, once its last part is there. Parts out of order end their parcel.
  [[nodiscard]] std::optional<std::string> add(const wire_part& part);

 private:
  struct open_parcel {
    uint32_t next = 0;
    std::string bytes;
  };
  std::map<uint64_t, open_parcel> open_;
};

}  // namespace cohort
