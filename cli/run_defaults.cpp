// Reading config/defaults.json ("run") and config/templates/.

#include "cli/run_defaults.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/field_reader.hpp"
#include "base/files.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::cli {

namespace {

using nlohmann::json;

bool set_limit(const std::string& text, std::optional<nano_dollars>& target) {
  auto amount = parse_dollars(text);
  if (!amount || amount->count == 0) return false;
  target = *amount;
  return true;
}

expected<void> read_settings(const json& object, const std::string& where, run_settings& settings) {
  field_reader reader{object, where};
  reader.number_or_auto("batch_size", planning::most_batch_size, settings.batch_size);
  reader.number_or_auto("parallel_batches", most_parallel_batches, settings.parallel_batches);
  reader.number("concurrent", 1, most_concurrent,
                [&](uint64_t value) { settings.concurrent = static_cast<uint32_t>(value); });
  reader.number("timeout_seconds", 1, longest_timeout_seconds,
                [&](uint64_t value) { settings.timeout = std::chrono::seconds{value}; });
  reader.number("min_complexity", 1, most_complexity,
                [&](uint64_t value) { settings.min_complexity = static_cast<uint32_t>(value); });
  reader.text("model", settings.model);
  reader.text("fallback_model", settings.fallback);
  reader.text("output_directory", settings.output_directory);
  reader.text("effort", "one of low, medium, high", [&](const std::string& value) {
    return settings.effort = value, value == "low" || value == "medium" || value == "high";
  });
  const auto amount = R"(a text with an amount of dollars above 0, such as "2.00")";
  reader.text("cost_limit", amount, [&](const std::string& value) { return set_limit(value, settings.cost_limit); });
  reader.text("budget", amount, [&](const std::string& value) { return set_limit(value, settings.budget); });
  reader.text("on_limit", "one of stop, next, warn", [&](const std::string& value) {
    for (auto policy : {limit_policy::stop, limit_policy::next, limit_policy::warn})
      if (value == name(policy)) return settings.on_limit = policy, true;
    return false;
  });
  return reader.finish();
}

expected<void> read_retries(const json& object, const std::string& where, actors::retry_limits& retries) {
  field_reader reader{object, where};
  reader.number("after_unconfirmed", 0, 20,
                [&](uint64_t value) { retries.unconfirmed = static_cast<uint32_t>(value); });
  reader.number("after_worker_lost", 0, 100,
                [&](uint64_t value) { retries.worker_lost = static_cast<uint32_t>(value); });
  reader.number("pause_ms", 0, 60'000, [&](uint64_t value) { retries.pause = milliseconds{value}; });
  reader.number("most_output_tokens", 1, 128'000,
                [&](uint64_t value) { retries.most_output_tokens = static_cast<uint32_t>(value); });
  for (auto code : {ec::cut_off, ec::empty_answer, ec::no_code, ec::broken_code, ec::refused})
    reader.number(fmt::format("after_{}", name(code)), 0, 20,
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
  auto parsed = read_json_object(file);
  if (!parsed) return tl::unexpected{parsed.error()};
  const auto where = fmt::format("'{}', key \"run\"", file.string());
  const auto& run = (*parsed)["run"];
  if (!run.is_object()) return fail(ec::config_invalid, where + " must be an object");
  run_defaults defaults;
  field_reader reader{run, where};
  reader.number("ballast_bytes", 0, 1 << 30, [&](uint64_t value) { defaults.ballast_bytes = value; });
  reader.number("grace_seconds", 0, longest_timeout_seconds,
                [&](uint64_t value) { defaults.grace = std::chrono::seconds{value}; });
  reader.number("overloaded_model_rest_ms", 0, 3'600'000,
                [&](uint64_t value) { defaults.fallback_rest = milliseconds{value}; });
  reader.text("prompt_cache", "one of none, 5m, 1h", [&](const std::string& value) {
    if (value == "none") defaults.cache = cache_mode::none;
    if (value == "5m") defaults.cache = cache_mode::five_minutes;
    if (value == "1h") defaults.cache = cache_mode::one_hour;
    return value == "none" || value == "5m" || value == "1h";
  });
  reader.object("settings", [&](const json& object, const std::string& inside) {
    return read_settings(object, inside, defaults.settings);
  });
  reader.object("retries", [&](const json& object, const std::string& inside) {
    return read_retries(object, inside, defaults.retries);
  });
  if (auto fine = reader.finish(); !fine) return tl::unexpected{fine.error()};
  return defaults;
}

expected<void> lay_template(const std::string& name, run_settings& settings) {
  const auto folder = config_directory() / "templates";
  const bool plain_name = name.find_first_of("/\\") == std::string::npos && name != ".." && !name.empty();
  const auto file = folder / (name + ".json");
  if (!plain_name || !std::filesystem::exists(file))
    return fail(ec::usage, fmt::format("--template: there is no '{}'; there are: {}", name, template_names(folder)));
  auto parsed = read_json_object(file);
  if (!parsed) return tl::unexpected{parsed.error()};
  parsed->erase("description");
  return read_settings(*parsed, fmt::format("'{}'", file.string()), settings);
}

}  // namespace cohort::cli
