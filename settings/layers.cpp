// Reads settings by the table from JSON: wrong types, bounds and unknown keys are mistakes.

#include "settings/layers.hpp"

#include <algorithm>
#include <cstdlib>

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::settings {

namespace fs = std::filesystem;

namespace {

using kind = setting_kind;

/// The text of the value if it is a good one.
std::optional<std::string> good_text(const setting& which, const config_reader& value) {
  if (!value.json().is_string()) return std::nullopt;
  auto text = value.as_text();
  if (text.empty()) return std::nullopt;
  run_settings scratch;
  if (auto fine = apply({{std::string{which.name}, text}}, scratch); !fine) return std::nullopt;
  return text;
}

std::string what_is_valid(const setting& which) {
  switch (which.kind) {
    case kind::number_or_auto: return fmt::format("\"auto\" or a whole number from {} to {}", which.least, which.most);
    case kind::choice:
      return fmt::format("one of {}{}", fmt::join(which.choices, ", "), which.can_be_none ? ", none" : "");
    case kind::dollars: return R"(a text with an amount of dollars above 0, such as "2.00", or "none")";
    case kind::number:
    case kind::seconds:
    case kind::text: break;
  }
  return "a text that is not empty";
}

std::optional<std::string> read_one(const setting& which, const config_reader& value) {
  const bool is_count = which.kind == kind::number || which.kind == kind::seconds;
  if (is_count || (which.kind == kind::number_or_auto && value.json().is_number_unsigned() &&
                   value.json().get<uint64_t>() >= which.least && value.json().get<uint64_t>() <= which.most)) {
    const auto number = value.whole_number(which.least, which.most);
    return number ? std::optional{std::to_string(*number)} : std::nullopt;
  }
  auto text = good_text(which, value);
  if (which.kind == kind::number_or_auto && text != "auto") text.reset();  // Numbers are no texts.
  if (!text) value.refuse("must be " + what_is_valid(which));
  return text;
}

std::string template_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator{folder, ignored})
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

std::optional<fs::path> absolute_path_in(const char* variable) {
  const char* value = std::getenv(variable);
  if (value == nullptr || *value != '/') return std::nullopt;
  return fs::path{value};
}

expected<setting_values> read_file_of_settings(const fs::path& file, file_author author) {
  const auto document = config_document::load(file);
  if (!document) return tl::unexpected{document.error()};
  if (author == file_author::program) document->top().read_elsewhere({"description"});  // By people.
  auto values = read_settings(document->top(), author);
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return values;
}

}  // namespace

setting_values read_settings(const config_reader& object, file_author author) {
  setting_values values;
  for (const auto& which : setting_table()) {
    if (author == file_author::user && !which.in_users_file) continue;
    if (!object.has(which.name)) continue;
    if (auto text = read_one(which, object.at(which.name))) values.emplace(which.name, std::move(*text));
  }
  return values;
}

std::optional<fs::path> users_file() {
  if (const auto config = absolute_path_in("XDG_CONFIG_HOME")) return *config / "cohort" / "config.json";
  if (const auto home = absolute_path_in("HOME")) return *home / ".config" / "cohort" / "config.json";
  return std::nullopt;
}

expected<setting_values> load_users_file(const fs::path& file) {
  std::error_code failed;
  const auto status = fs::status(file, failed);
  if (status.type() == fs::file_type::not_found) return setting_values{};
  return read_file_of_settings(file, file_author::user);
}

expected<setting_values> load_template(const fs::path& folder, const std::string& name) {
  const bool plain_name = name.find_first_of("/\\") == std::string::npos && name != ".." && !name.empty();
  const auto file = folder / (name + ".json");
  if (!plain_name || !fs::exists(file))
    return fail(ec::usage, fmt::format("--template: there is no '{}'; there are: {}", name, template_names(folder)));
  return read_file_of_settings(file, file_author::program);
}

}  // namespace cohort::settings
