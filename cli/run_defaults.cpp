// Reading config/defaults.json ("run") and config/templates/.

#include "cli/run_defaults.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.hpp"

namespace cohort {

namespace {

using nlohmann::json;

expected<json> read_json(const std::filesystem::path& file) {
  auto text = read_file(file, 1 << 20);
  if (!text) return fail(ec::config_invalid, text.error().message);
  auto parsed = json::parse(*text, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object())
    return fail(ec::config_invalid, fmt::format("'{}' is not a JSON object", file.string()));
  return parsed;
}

/// Reads fields one after the other and keeps the first problem.
class field_reader {
 public:
  field_reader(const json& object, std::string where) : object_(object), where_(std::move(where)) {}

  void number(const char* key, uint64_t least, uint64_t most, const std::function<void(uint64_t)>& set) {
    const auto field = take(key);
    if (field == nullptr) return;
    if (!field->is_number_unsigned() || field->get<uint64_t>() < least || field->get<uint64_t>() > most)
      return refuse(key, fmt::format("must be a whole number from {} to {}", least, most));
    set(field->get<uint64_t>());
  }
  void text(const char* key, const std::function<bool(const std::string&)>& set) {
    const auto field = take(key);
    if (field == nullptr) return;
    if (!field->is_string() || !set(field->get<std::string>())) refuse(key, "has no valid value");
  }
  void number_or_auto(const char* key, uint32_t most, uint32_t& target) {
    if (object_.contains(key) && object_[key] == "auto") {
      (void)take(key);
      target = 0;
      return;
    }
    number(key, 1, most, [&](uint64_t value) { target = static_cast<uint32_t>(value); });
  }
  [[nodiscard]] expected<void> finish() {
    for (const auto& [key, _] : object_.items())
      if (std::find(known_.begin(), known_.end(), key) == known_.end() && key != "comment") refuse(key, "is not known");
    if (problem_.empty()) return {};
    return fail(ec::config_invalid, problem_);
  }

 private:
  const json* take(const char* key) {
    known_.emplace_back(key);
    const auto found = object_.find(key);
    return found == object_.end() ? nullptr : &*found;
  }
  void refuse(const std::string& key, const std::string& why) {
    if (problem_.empty()) problem_ = fmt::format("{}: \"{}\" {}", where_, key, why);
  }

  const json& object_;
  std::string where_;
  std::vector<std::string> known_;
  std::string problem_;
};

bool set_limit(const std::string& text, std::optional<nano_dollars>& target) {
  auto amount = parse_dollars(text);
  if (!amount || amount->count == 0) return false;
  target = *amount;
  return true;
}

expected<void> read_settings(const json& object, const std::string& where, run_settings& settings) {
  field_reader reader{object, where};
  reader.number_or_auto("batch_size", 50, settings.batch_size);
  reader.number_or_auto("parallel_batches", 1000, settings.parallel_batches);
  reader.number("concurrent", 1, 10'000, [&](uint64_t value) { settings.concurrent = static_cast<uint32_t>(value); });
  reader.number("timeout_seconds", 1, 604'800, [&](uint64_t value) { settings.timeout = std::chrono::seconds{value}; });
  reader.number("min_complexity", 1, 10,
                [&](uint64_t value) { settings.min_complexity = static_cast<uint32_t>(value); });
  reader.text("model", [&](const std::string& value) { return settings.model = value, !value.empty(); });
  reader.text("fallback_model", [&](const std::string& value) { return settings.fallback = value, !value.empty(); });
  reader.text("effort", [&](const std::string& value) { return settings.effort = value, true; });
  reader.text("output_directory",
              [&](const std::string& value) { return settings.output_directory = value, !value.empty(); });
  reader.text("cost_limit", [&](const std::string& value) { return set_limit(value, settings.cost_limit); });
  reader.text("budget", [&](const std::string& value) { return set_limit(value, settings.budget); });
  reader.text("on_limit", [&](const std::string& value) {
    for (auto policy : {limit_policy::stop, limit_policy::next, limit_policy::warn})
      if (value == name(policy)) return settings.on_limit = policy, true;
    return false;
  });
  return reader.finish();
}

expected<void> read_retries(const json& object, const std::string& where, retry_limits& retries) {
  field_reader reader{object, where};
  reader.number("after_unconfirmed", 0, 20,
                [&](uint64_t value) { retries.unconfirmed = static_cast<uint32_t>(value); });
  reader.number("pause_ms", 0, 60'000, [&](uint64_t value) { retries.pause = milliseconds{value}; });
  reader.number("most_output_tokens", 1, 128'000,
                [&](uint64_t value) { retries.most_output_tokens = static_cast<uint32_t>(value); });
  for (auto code : {ec::cut_off, ec::empty_answer, ec::no_code, ec::broken_code, ec::refused})
    reader.number(fmt::format("after_{}", name(code)).c_str(), 0, 20,
                  [&, code](uint64_t value) { retries.after_answer[code] = static_cast<uint32_t>(value); });
  return reader.finish();
}

std::string template_names(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{folder, ignored})
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

expected<run_defaults> load_run_defaults() {
  const auto file = config_directory() / "defaults.json";
  auto parsed = read_json(file);
  if (!parsed) return tl::unexpected{parsed.error()};
  const auto where = fmt::format("'{}', key \"run\"", file.string());
  const auto& run = (*parsed)["run"];
  if (!run.is_object()) return fail(ec::config_invalid, where + " is missing");
  run_defaults defaults;
  field_reader reader{run, where};
  expected<void> outcome;
  reader.number("ballast_bytes", 0, 1 << 30, [&](uint64_t value) { defaults.ballast_bytes = value; });
  reader.number("grace_seconds", 0, 604'800, [&](uint64_t value) { defaults.grace = std::chrono::seconds{value}; });
  reader.text("prompt_cache", [&](const std::string& value) {
    if (value == "none") defaults.cache = cache_mode::none;
    if (value == "5m") defaults.cache = cache_mode::five_minutes;
    if (value == "1h") defaults.cache = cache_mode::one_hour;
    return value == "none" || value == "5m" || value == "1h";
  });
  json settings = run.value("settings", json::object());
  json retries = run.value("retries", json::object());
  if (outcome = read_settings(settings, where + ".settings", defaults.settings); !outcome)
    return tl::unexpected{outcome.error()};
  if (outcome = read_retries(retries, where + ".retries", defaults.retries); !outcome)
    return tl::unexpected{outcome.error()};
  return defaults;
}

expected<void> lay_template(const std::string& name, run_settings& settings) {
  const auto folder = config_directory() / "templates";
  const bool plain_name = name.find_first_of("/\\") == std::string::npos && name != ".." && !name.empty();
  const auto file = folder / (name + ".json");
  if (!plain_name || !std::filesystem::exists(file))
    return fail(ec::usage, fmt::format("--template: there is no '{}'; there are: {}", name, template_names(folder)));
  auto parsed = read_json(file);
  if (!parsed) return tl::unexpected{parsed.error()};
  parsed->erase("description");
  return read_settings(*parsed, fmt::format("'{}'", file.string()), settings);
}

}  // namespace cohort
