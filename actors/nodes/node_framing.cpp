// The framework's own serializer, so that what crosses the wire follows the inspect functions of messages/.

#include "actors/nodes/node_framing.hpp"

#include <algorithm>
#include <utility>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace cohort::actors {

namespace {

template <class T>
std::string encode(const T& value) {
  std::vector<char> bytes;
  caf::binary_serializer sink{nullptr, bytes};
  if (auto problem = sink(const_cast<T&>(value))) return {};
  return {bytes.begin(), bytes.end()};
}

template <class T>
std::optional<T> decode(const std::string& bytes) {
  T value;
  caf::binary_deserializer source{nullptr, bytes.data(), bytes.size()};
  if (auto problem = source(value)) return std::nullopt;
  if (source.remaining() != 0) return std::nullopt;
  return value;
}

}  // namespace

std::string pack(const remote_order& order) { return encode(order); }
std::string pack(const remote_report& report) { return encode(report); }
std::optional<remote_order> unpack_order(const std::string& bytes) { return decode<remote_order>(bytes); }
std::optional<remote_report> unpack_report(const std::string& bytes) { return decode<remote_report>(bytes); }

std::vector<message_part> cut(const std::string& session, uint64_t parcel, message_kind kind,
                              const std::string& bytes) {
  std::vector<message_part> parts;
  const auto count = static_cast<uint32_t>(std::max<size_t>(1, (bytes.size() + part_bytes - 1) / part_bytes));
  parts.reserve(count);
  for (uint32_t i = 0; i < count; ++i)
    parts.push_back({session, parcel, i, count, kind, bytes.substr(i * part_bytes, part_bytes)});
  return parts;
}

std::optional<std::string> message_joiner::add(const message_part& part) {
  const bool fits = part.index == next_ && (next_ == 0 || (part.parcel == parcel_ && part.count == count_)) &&
                    bytes_.size() + part.bytes.size() <= largest_message;
  if (!fits || broken_) {
    broken_ = true;
    bytes_ = {};
    return std::nullopt;
  }
  parcel_ = part.parcel;
  count_ = part.count;
  bytes_ += part.bytes;
  if (++next_ < count_) return std::nullopt;
  next_ = 0;
  return std::exchange(bytes_, {});
}

}  // namespace cohort::actors
