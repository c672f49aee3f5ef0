// Reads the flat objects in config/ strictly: each field by key, type and bounds. A key that no reader asked for is a
// mistake. The first mistake is kept; a wrong field changes nothing. For .cpp files only.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace cohort::inline base {

/// The object in `file`. `ec::config_invalid` names the file.
[[nodiscard]] expected<nlohmann::json> read_json_object(const std::filesystem::path& file);

/// Reads the fields of one object. `object` must outlive the reader; the key "comment" is always allowed.
class field_reader {
 public:
  /// `where` stands before each complaint: "'defaults.json', key \"run\"".
  field_reader(const nlohmann::json& object, std::string where) : object_(object), where_(std::move(where)) {}

  void number(const std::string& key, uint64_t least, uint64_t most, const std::function<void(uint64_t)>& set);
  /// A field that must be there. `most` must fit `Number`.
  template <class Number>
  void required(const std::string& key, uint64_t least, uint64_t most, Number& target) {
    if (!object_.contains(key)) refuse(key, "is missing");
    number(key, least, most, [&target](uint64_t value) { target = static_cast<Number>(value); });
  }
  /// `set` returns whether the text is valid; `valid` says for the message which texts are.
  void text(const std::string& key, std::string_view valid, const std::function<bool(const std::string&)>& set);
  void text(const std::string& key, std::string& target);
  /// `read` gets the inner object and its path for messages.
  void object(const std::string& key,
              const std::function<expected<void>(const nlohmann::json&, const std::string&)>& read);
  void number_or_auto(const std::string& key, uint32_t most, uint32_t& target);  ///< 0: "auto".

  /// The first mistake as `ec::config_invalid`; unknown keys are looked for here.
  [[nodiscard]] expected<void> finish();

 private:
  [[nodiscard]] const nlohmann::json* take(const std::string& key);
  void refuse(const std::string& key, std::string_view why);

  const nlohmann::json& object_;
  std::string where_;
  std::vector<std::string> known_;
  std::string problem_;
};

}  // namespace cohort::inline base
