// Reads members and items of a JSON document and keeps the first mistake.

#include "base/checked_json.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.hpp"

namespace cohort::inline base {

namespace {
const nlohmann::json nothing;
}

void json_problems::report(const std::string& where, std::string_view what) {
  if (first_.empty())
    first_ = fmt::format("{}: at {}: {}", document_,
                         where.empty() ? std::string{"the top"} : fmt::format("'{}'", printable(where)), what);
}

std::string json_view::below(std::string_view member) const {
  return where_.empty() ? std::string{member} : where_ + "." + std::string{member};
}

void json_view::allow_only(std::initializer_list<std::string_view> members) const {
  if (!value_->is_object()) return report("an object is expected");
  for (const auto& [key, value] : value_->items())
    if (std::find(members.begin(), members.end(), key) == members.end())
      report(fmt::format("unknown member '{}'; known are {}", printable(key), fmt::join(members, ", ")));
}

bool json_view::has(std::string_view member) const {
  return value_->is_object() && value_->contains(std::string{member});
}

json_view json_view::at(std::string_view member) const {
  if (!value_->is_object()) {
    report("an object is expected");
  } else if (const auto found = value_->find(std::string{member}); found != value_->end()) {
    return {*found, *problems_, below(member)};
  } else {
    report(fmt::format("the member '{}' is missing", member));
  }
  return {nothing, *problems_, below(member)};
}

std::string json_view::as_text() const {
  if (value_->is_string()) return value_->get<std::string>();
  report("a text is expected");
  return {};
}

std::string json_view::text(std::string_view member) const { return at(member).as_text(); }

std::string json_view::text_or(std::string_view member, std::string fallback) const {
  return has(member) ? text(member) : std::move(fallback);
}

bool json_view::flag_or(std::string_view member, bool fallback) const {
  if (!has(member)) return fallback;
  const auto value = at(member);
  if (value.value_->is_boolean()) return value.value_->get<bool>();
  value.report("true or false is expected");
  return fallback;
}

uint64_t json_view::number(std::string_view member, uint64_t least, uint64_t most) const {
  const auto value = at(member);
  const bool whole = value.value_->is_number_unsigned();
  const auto number = whole ? value.value_->get<uint64_t>() : 0;
  if (whole && number >= least && number <= most) return number;
  value.report(fmt::format("a whole number from {} to {} is expected", least, most));
  return least;
}

std::vector<std::string> json_view::texts(std::string_view member) const {
  std::vector<std::string> found;
  for (const auto& item : at(member).items()) found.push_back(item.as_text());
  return found;
}

std::vector<std::string> json_view::texts_or_none(std::string_view member) const {
  return has(member) ? texts(member) : std::vector<std::string>{};
}

std::vector<json_view> json_view::items() const {
  std::vector<json_view> found;
  if (!value_->is_array()) {
    report("a list is expected");
    return found;
  }
  found.reserve(value_->size());
  for (size_t i = 0; i < value_->size(); ++i)
    found.push_back({(*value_)[i], *problems_, fmt::format("{}[{}]", where_, i)});
  return found;
}

std::vector<std::pair<std::string, json_view>> json_view::members() const {
  std::vector<std::pair<std::string, json_view>> found;
  if (!value_->is_object()) {
    report("an object is expected");
    return found;
  }
  for (const auto& [key, value] : value_->items()) found.emplace_back(key, json_view{value, *problems_, below(key)});
  return found;
}

}  // namespace cohort::inline base
