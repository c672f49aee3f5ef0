// Parses manifests. The parser knows comments; trailing commas are removed before parsing.

#include "planning/survey/manifests.hpp"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr size_t deepest_manifest = 64;
constexpr size_t most_values = 100'000;

/// The end of the comment or string that begins at `at`; `at` if there is none.
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

/// The text in `name` that `*` of `pattern` matches.
std::optional<std::string_view> star_of(std::string_view pattern, std::string_view name) noexcept {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return std::nullopt;
  const auto before = pattern.substr(0, star);
  const auto after = pattern.substr(star + 1);
  if (name.size() < before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
    return std::nullopt;
  return name.substr(before.size(), name.size() - before.size() - after.size());
}

/// Why `plain` must not be parsed; empty if it may be.
std::string too_much(std::string_view plain) {
  size_t depth = 0;
  size_t values = 1;
  for (size_t at = 0; at < plain.size();) {
    const auto end = end_of_opaque(plain, at);
    const char c = plain[at];
    at = end == at ? at + 1 : end;
    if (c == ',' || c == '[' || c == '{') ++values;
    if (c == '[' || c == '{') ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > deepest_manifest) return fmt::format("is nested deeper than {} levels", deepest_manifest);
    if (values > most_values) return fmt::format("holds more than {} values", most_values);
  }
  return {};
}

/// `target` with `star` for each `*`; nothing if that is longer than any path.
std::optional<std::string> filled(std::string_view target, std::string_view star) {
  const auto stars = static_cast<size_t>(std::count(target.begin(), target.end(), '*'));
  if (target.size() > languages::longest_path || stars * star.size() > languages::longest_path) return std::nullopt;
  std::string result;
  for (const char c : target)
    if (c == '*')
      result += star;
    else
      result += c;
  return result;
}

}  // namespace

expected<nlohmann::json> parse_manifest(std::string_view text) {
  const auto plain = plain_json(text);
  if (auto why = too_much(plain); !why.empty()) return fail(ec::file_too_large, std::move(why));
  auto parsed = nlohmann::json::parse(plain, nullptr, false);
  if (!parsed.is_object()) return fail(ec::unparsable, "is not valid JSON");
  return parsed;
}

nlohmann::json manifest_reader::read(const std::string& path) {
  const auto file = project_ / path;
  const auto text = read_file(file, largest_manifest);
  if (!text) {
    if (text.error().code != ec::not_found) problems_.emplace(file.string(), text.error().message);
    return nlohmann::json::object();
  }
  auto parsed = parse_manifest(*text);
  if (parsed) return std::move(*parsed);
  report(path, parsed.error().message);
  return nlohmann::json::object();
}

void manifest_reader::report(const std::string& path, std::string_view what) {
  const auto file = (project_ / path).string();
  problems_.emplace(file, fmt::format("'{}' {}", printable(file, 1000), what));
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

std::vector<std::string> texts_in(const nlohmann::json& value, size_t most) {
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> texts;
  if (value.is_array())
    for (const auto& one : value)
      if (one.is_string() && texts.size() < most) texts.push_back(one.get<std::string>());
  return texts;
}

std::string plain_json(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  auto comma = std::string::npos;  // Position in `plain` of a comma that only blanks follow.
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
  std::vector<std::string> targets;
  for (const auto& target : best->targets)
    if (auto path = filled(target, star)) targets.push_back(std::move(*path));
  return targets;
}

}  // namespace cohort::planning
