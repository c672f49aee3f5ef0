// Reads the fields of a flat JSON object and keeps the first mistake.

#include "base/field_reader.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::inline base {

namespace {

using nlohmann::json;

bool is_within(const json& field, uint64_t least, uint64_t most) {
  return field.is_number_unsigned() && field.get<uint64_t>() >= least && field.get<uint64_t>() <= most;
}

}  // namespace

expected<json> read_json_object(const std::filesystem::path& file) {
  auto text = read_file(file, 1 << 20);
  if (!text) return fail(ec::config_invalid, text.error().message);
  auto parsed = json::parse(*text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object())
    return fail(ec::config_invalid, fmt::format("'{}' is not a JSON object", file.string()));
  return parsed;
}

void field_reader::number(const std::string& key, uint64_t least, uint64_t most,
                          const std::function<void(uint64_t)>& set) {
  const auto* field = take(key);
  if (field == nullptr) return;
  if (!is_within(*field, least, most))
    return refuse(key, fmt::format("must be a whole number from {} to {}", least, most));
  set(field->get<uint64_t>());
}

void field_reader::text(const std::string& key, std::string_view valid,
                        const std::function<bool(const std::string&)>& set) {
  const auto* field = take(key);
  if (field == nullptr) return;
  if (!field->is_string() || !set(field->get<std::string>())) refuse(key, fmt::format("must be {}", valid));
}

void field_reader::text(const std::string& key, std::string& target) {
  text(key, "a text that is not empty", [&](const std::string& value) { return target = value, !value.empty(); });
}

void field_reader::object(const std::string& key,
                          const std::function<expected<void>(const json&, const std::string&)>& read) {
  const auto* field = take(key);
  if (field == nullptr) return;
  if (!field->is_object()) return refuse(key, "must be an object");
  if (auto fine = read(*field, fmt::format("{}.{}", where_, key)); !fine && problem_.empty())
    problem_ = fine.error().message;
}

void field_reader::number_or_auto(const std::string& key, uint32_t most, uint32_t& target) {
  const auto* field = take(key);
  if (field == nullptr) return;
  const bool is_auto = *field == "auto";
  if (!is_auto && !is_within(*field, 1, most))
    return refuse(key, fmt::format("must be \"auto\" or a whole number from 1 to {}", most));
  target = is_auto ? 0 : field->get<uint32_t>();
}

expected<void> field_reader::finish() {
  for (const auto& [key, _] : object_.items())
    if (std::find(known_.begin(), known_.end(), key) == known_.end() && key != "comment")
      refuse(printable(key), fmt::format("is not known; known are {}", fmt::join(known_, ", ")));
  if (problem_.empty()) return {};
  return fail(ec::config_invalid, problem_);
}

const json* field_reader::take(const std::string& key) {
  known_.push_back(key);
  const auto found = object_.find(key);
  return found == object_.end() ? nullptr : &*found;
}

void field_reader::refuse(const std::string& key, std::string_view why) {
  if (problem_.empty()) problem_ = fmt::format("{}: \"{}\" {}", where_, key, why);
}

}  // namespace cohort::inline base
