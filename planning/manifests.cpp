// The parser knows comments; trailing commas are taken out before it.

#include "planning/manifests.hpp"

#include <cerrno>
#include <optional>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort {

namespace {

constexpr uint64_t largest_document = 4U << 20U;

/// Where what begins at `at` ends, if that is a comment or a string; else `at`.
size_t end_of_opaque(std::string_view text, size_t at) noexcept {
  const auto past = [&](std::string_view mark, size_t from) {
    const auto found = text.find(mark, from);
    return found == std::string_view::npos ? text.size() : found + mark.size();
  };
  if (text.substr(at).starts_with("//")) return past("\n", at);
  if (text.substr(at).starts_with("/*")) return past("*/", at + 2);
  if (text[at] != '"') return at;
  for (size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      return i + 1;
  }
  return text.size();
}

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// What `*` of `pattern` stands for in `name`.
std::optional<std::string_view> star_of(std::string_view pattern, std::string_view name) noexcept {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return std::nullopt;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  if (name.size() < before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

}  // namespace

const nlohmann::json& manifest_reader::read(const std::string& path) {
  if (const auto known = documents_.find(path); known != documents_.end()) return known->second;
  auto& document = documents_.emplace(path, nlohmann::json::object()).first->second;
  const auto file = project_ / path;
  const auto text = read_file(file, largest_document);
  if (!text && text.error().code == ec::not_found) return document;
  if (!text) {
    problems_.emplace(file.string(), text.error().message);
    return document;
  }
  auto parsed = nlohmann::json::parse(plain_json(*text), nullptr, false);
  if (parsed.is_object())
    document = std::move(parsed);
  else
    problems_.emplace(file.string(), fmt::format("'{}' is not valid JSON", printable(file.string(), 1000)));
  return document;
}

const nlohmann::json* member_at(const nlohmann::json& object, std::string_view path) {
  const auto* value = &object;
  while (!path.empty()) {
    const auto dot = path.find('.');
    if (!value->is_object()) return nullptr;
    const auto found = value->find(std::string{path.substr(0, dot)});
    if (found == value->end()) return nullptr;
    value = &*found;
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  }
  return value;
}

std::string text_at(const nlohmann::json& object, std::string_view path) {
  const auto* value = member_at(object, path);
  return value != nullptr && value->is_string() ? value->get<std::string>() : std::string{};
}

std::vector<std::string> texts_in(const nlohmann::json& value) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> texts;
  if (value.is_array())
    for (const auto& one : value)
      if (one.is_string()) texts.push_back(one.get<std::string>());
  return texts;
}

std::string plain_json(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  auto comma = std::string::npos;  // In `plain`, with nothing but blanks behind it.
  for (size_t at = 0; at < text.size();) {
    const auto end = end_of_opaque(text, at);
    if (end != at && text[at] == '/') {
      at = end;
      continue;
    }
    const char c = text[at];
    if ((c == '}' || c == ']') && comma != std::string::npos) plain.erase(comma, 1);
    if (!is_blank(c)) comma = c == ',' ? plain.size() : std::string::npos;
    plain += text.substr(at, end == at ? 1 : end - at);
    at = end == at ? at + 1 : end;
  }
  return plain;
}

std::vector<std::string> mapped(const std::vector<name_mapping>& mappings, std::string_view name) {
  const name_mapping* best = nullptr;
  std::string_view star;
  for (const auto& one : mappings) {
    if (one.pattern == name) return one.targets;
    const auto fit = star_of(one.pattern, name);
    if (!fit || (best != nullptr && one.pattern.find('*') <= best->pattern.find('*'))) continue;
    best = &one;
    star = *fit;
  }
  if (best == nullptr) return {};
  auto targets = best->targets;
  for (auto& target : targets)
    for (auto at = target.find('*'); at != std::string::npos; at = target.find('*', at + star.size()))
      target.replace(at, 1, star);
  return targets;
}

}  // namespace cohort
