// Reads JSON values and keeps the first mistake; finds keys that nobody asked for.

#include "base/config_reader.hpp"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::inline base {

namespace {

using nlohmann::json;

constexpr uint64_t largest_file = 1U << 20;
/// The JSON library recurses when it destroys what is nested.
constexpr uint32_t deepest = 32;
constexpr std::string_view free_key = "comment";

const json nothing;

bool is_nested_deeper(std::string_view text, uint32_t most) noexcept {
  uint32_t depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (quoted) continue;
    if ((c == '[' || c == '{') && ++depth > most) return true;
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return false;
}

/// Some of them, if there are many.
std::vector<std::string> keys_of(const json& object) {
  constexpr size_t most_named = 20;
  std::vector<std::string> keys;
  if (object.is_object())
    for (const auto& [key, _] : object.items())
      if (keys.size() < most_named) keys.push_back(printable(key, 100));
  return keys;
}

}  // namespace

/// Shared by all readers of a document.
struct config_state {
  /// An object that was read, and the keys that were looked for in it.
  struct known_object {
    const json* object;
    std::string place;
    std::vector<std::string> keys;
  };

  json document;
  std::string name;  ///< Of the file, quoted.
  unknown_keys others = unknown_keys::refused;
  std::string first_mistake;
  std::vector<known_object> read;  ///< In the order of reading; empty where unknown keys are passed over.
  std::unordered_map<const json*, size_t> index;

  void keep(const std::string& place, std::string_view what) {
    if (first_mistake.empty()) first_mistake = fmt::format("{}{}: {}", name, place, what);
  }
};

/// `, key "run.settings"`, `, key "gaps[3]"`, `, model 'haiku', key "cards"`.
std::string config_reader::place() const {
  if (name_.empty()) return parent_;
  const bool below_a_key = !parent_.empty() && parent_.back() == '"';
  if (!below_a_key) return fmt::format("{}, key \"{}\"", parent_, name_);
  const auto outer = std::string_view{parent_}.substr(0, parent_.size() - 1);
  return fmt::format("{}{}{}\"", outer, name_.front() == '[' ? "" : ".", name_);
}

void config_reader::note(std::string_view key) const {
  if (state_->others == unknown_keys::passed_over) return;
  const auto [entry, added] = state_->index.try_emplace(value_, state_->read.size());
  if (added) state_->read.push_back({value_, place(), {}});
  auto& keys = state_->read[entry->second].keys;
  if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.emplace_back(key);
}

void config_reader::report(std::string_view what) const { state_->keep(place(), what); }

void config_reader::refuse(std::string_view why) const {
  if (name_.empty()) return state_->keep(parent_, fmt::format("{} {}", parent_.empty() ? "the document" : "it", why));
  if (name_.front() == '[') return state_->keep(parent_, fmt::format("the entry {} {}", name_, why));
  state_->keep(parent_, fmt::format("\"{}\" {}", name_, why));
}

void config_reader::refuse(std::string_view key, std::string_view why) const {
  state_->keep(place(), fmt::format("\"{}\" {}", printable(key), why));
}

config_reader config_reader::called(const std::string& name) const { return {*value_, *state_, ", " + name, {}}; }

bool config_reader::has(std::string_view key) const {
  if (!value_->is_object()) {
    refuse("must be an object");
    return false;
  }
  note(key);
  return value_->contains(std::string{key});
}

config_reader config_reader::at(std::string_view key) const {
  if (has(key)) return {*value_->find(std::string{key}), *state_, place(), printable(key)};
  refuse(key,
         value_->empty() ? "is missing" : fmt::format("is missing; there are {}", fmt::join(keys_of(*value_), ", ")));
  return {nothing, *state_, place(), printable(key)};
}

config_reader config_reader::object(std::string_view key) const {
  auto member = at(key);
  if (!member.value_->is_object()) member.refuse("must be an object");
  return member;
}

void config_reader::read_elsewhere(std::initializer_list<std::string_view> keys) const {
  for (const auto key : keys) note(key);
}

std::string config_reader::as_text() const {
  if (value_->is_string()) return value_->get<std::string>();
  refuse("must be a text");
  return {};
}

std::optional<uint64_t> config_reader::whole_number(uint64_t least, uint64_t most) const {
  const auto number = value_->is_number_unsigned() ? std::optional{value_->get<uint64_t>()} : std::nullopt;
  if (number && *number >= least && *number <= most) return number;
  refuse(fmt::format("must be a whole number from {} to {}", least, most));
  return std::nullopt;
}

std::string config_reader::text(std::string_view key) const { return at(key).as_text(); }

std::string config_reader::filled_text(std::string_view key) const {
  const auto member = at(key);
  auto value = member.value_->is_string() ? member.value_->get<std::string>() : std::string{};
  if (value.empty()) member.refuse("must be a text that is not empty");
  return value;
}

uint64_t config_reader::number(std::string_view key, uint64_t least, uint64_t most) const {
  return at(key).whole_number(least, most).value_or(least);
}

std::vector<std::string> config_reader::texts(std::string_view key) const {
  std::vector<std::string> found;
  for (const auto& item : at(key).items()) found.push_back(item.as_text());
  return found;
}

std::string config_reader::text_or(std::string_view key, std::string fallback) const {
  return has(key) ? text(key) : std::move(fallback);
}

bool config_reader::flag_or(std::string_view key, bool fallback) const {
  if (!has(key)) return fallback;
  const auto member = at(key);
  if (member.value_->is_boolean()) return member.value_->get<bool>();
  member.refuse("must be true or false");
  return fallback;
}

std::vector<std::string> config_reader::texts_or_none(std::string_view key) const {
  return has(key) ? texts(key) : std::vector<std::string>{};
}

std::map<std::string, std::string> config_reader::pairs_or_none(std::string_view key) const {
  std::map<std::string, std::string> found;
  if (has(key))
    for (const auto& [name, value] : at(key).members()) found.emplace(name, value.as_text());
  return found;
}

std::vector<config_reader> config_reader::items() const {
  std::vector<config_reader> found;
  if (!value_->is_array()) {
    refuse("must be a list");
    return found;
  }
  found.reserve(value_->size());
  const auto here = place();
  for (size_t i = 0; i < value_->size(); ++i)
    found.push_back(config_reader{(*value_)[i], *state_, here, fmt::format("[{}]", i)});
  return found;
}

std::vector<std::pair<std::string, config_reader>> config_reader::members() const {
  std::vector<std::pair<std::string, config_reader>> found;
  if (!value_->is_object()) {
    refuse("must be an object");
    return found;
  }
  const auto here = place();
  for (const auto& [key, value] : value_->items()) {
    if (key == free_key) continue;
    note(key);
    found.emplace_back(key, config_reader{value, *state_, here, printable(key)});
  }
  return found;
}

config_document::config_document(std::unique_ptr<config_state> state) : state_(std::move(state)) {}
config_document::config_document(config_document&&) noexcept = default;
config_document& config_document::operator=(config_document&&) noexcept = default;
config_document::~config_document() = default;

expected<config_document> config_document::parse(std::string_view text, const std::string& name, unknown_keys others) {
  const auto shown = fmt::format("'{}'", printable(name, 1000));
  if (is_nested_deeper(text, deepest))
    return fail(ec::config_invalid, fmt::format("{} is not valid: it is nested deeper than {} levels", shown, deepest));
  auto state = std::make_unique<config_state>();
  state->document = json::parse(text, nullptr, false);
  if (state->document.is_discarded()) return fail(ec::config_invalid, shown + " is not valid JSON");
  state->name = shown;
  state->others = others;
  return config_document{std::move(state)};
}

expected<config_document> config_document::load(const std::filesystem::path& file) {
  const auto text = read_file(file, largest_file);
  if (!text) return fail(ec::config_invalid, text.error().message);
  return parse(*text, file.string());
}

config_reader config_document::top() const { return {state_->document, *state_, {}, {}}; }

config_reader config_document::group(std::string_view key) const {
  const auto& root = state_->document;
  const auto found = root.is_object() ? root.find(std::string{key}) : root.end();
  const auto there = root.is_object() && found != root.end();
  config_reader inner{there ? *found : nothing, *state_, {}, std::string{key}};
  if (!inner.value_->is_object()) inner.refuse("must be an object");
  return inner;
}

bool config_document::has_mistake() const noexcept { return !state_->first_mistake.empty(); }

expected<void> config_document::finish() const {
  for (const auto& known : state_->read) {
    if (has_mistake()) break;
    for (const auto& [key, _] : known.object->items())
      if (key != free_key && std::find(known.keys.begin(), known.keys.end(), key) == known.keys.end())
        state_->keep(known.place,
                     fmt::format("\"{}\" is not known; known are {}", printable(key), fmt::join(known.keys, ", ")));
  }
  if (!has_mistake()) return {};
  return fail(ec::config_invalid, state_->first_mistake);
}

}  // namespace cohort::inline base
