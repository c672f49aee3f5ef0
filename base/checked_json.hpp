// Reads JSON that people wrote: every access is checked, and the first mistake is kept with the path of its member.
// After a mistake the getters return empty values, so that a reader needs one check at its end. For .cpp files only.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace cohort::inline base {

/// Shared by all views of one document.
class json_problems {
 public:
  explicit json_problems(std::string document) : document_(std::move(document)) {}
  void report(const std::string& where, std::string_view what);
  [[nodiscard]] bool any() const noexcept { return !first_.empty(); }
  /// The first mistake as an error.
  [[nodiscard]] error first(ec code) const { return {code, first_}; }

 private:
  std::string document_;
  std::string first_;
};

/// A value in the document, with the path that leads to it.
class json_view {
 public:
  json_view(const nlohmann::json& value, json_problems& problems, std::string where = {})
      : value_(&value), problems_(&problems), where_(std::move(where)) {}

  /// The value must be an object with no other members than these.
  void allow_only(std::initializer_list<std::string_view> members) const;
  [[nodiscard]] bool has(std::string_view member) const;
  [[nodiscard]] json_view at(std::string_view member) const;  ///< Reports a missing member.
  [[nodiscard]] std::string text(std::string_view member) const;
  [[nodiscard]] std::string text_or(std::string_view member, std::string fallback) const;
  [[nodiscard]] bool flag_or(std::string_view member, bool fallback) const;
  [[nodiscard]] uint64_t number(std::string_view member, uint64_t least, uint64_t most) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view member) const;
  [[nodiscard]] std::vector<std::string> texts_or_none(std::string_view member) const;
  [[nodiscard]] std::vector<json_view> items() const;                            ///< Of an array.
  [[nodiscard]] std::vector<std::pair<std::string, json_view>> members() const;  ///< Of an object.
  [[nodiscard]] std::string as_text() const;
  void report(std::string_view what) const { problems_->report(where_, what); }

 private:
  [[nodiscard]] std::string below(std::string_view member) const;

  const nlohmann::json* value_;
  json_problems* problems_;
  std::string where_;
};

}  // namespace cohort::inline base
