// Reading config/defaults.json ("run") and config/templates/.

#include "cli/run_defaults.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "planning/sizing/batch_sizing.hpp"

namespace cohort::cli {

namespace {

void read_number_or_auto(const config_reader& read, const char* key, uint32_t most, uint32_t& target) {
  if (!read.has(key)) return;
  const auto& value = read.at(key).json();
  const bool whole = value.is_number_unsigned() && value.get<uint64_t>() >= 1 && value.get<uint64_t>() <= most;
  if (!whole && value != "auto")
    return read.refuse(key, fmt::format("must be \"auto\" or a whole number from 1 to {}", most));
  target = whole ? value.get<uint32_t>() : 0;
}

void read_seconds(const config_reader& read, const char* key, milliseconds& target) {
  auto seconds = static_cast<uint64_t>(target.count() / 1000);
  read.read(key, 1, longest_timeout_seconds, seconds);
  target = std::chrono::seconds{seconds};
}

/// `valid` is what the user is told if `set` says that the text is not.
void read_choice(const config_reader& read, const char* key, std::string_view valid,
                 const std::function<bool(const std::string&)>& set) {
  if (!read.has(key)) return;
  const auto& value = read.at(key).json();
  if (!value.is_string() || !set(value.get<std::string>())) read.refuse(key, fmt::format("must be {}", valid));
}

void read_limit(const config_reader& read, const char* key, std::optional<nano_dollars>& target) {
  read_choice(read, key, R"(a text with an amount of dollars above 0, such as "2.00")", [&](const std::string& text) {
    const auto amount = parse_dollars(text);
    if (amount) target = *amount;
    return amount && amount->count > 0;
  });
}

void read_settings(const config_reader& read, run_settings& settings) {
  read_number_or_auto(read, "batch_size", planning::most_batch_size, settings.batch_size);
  read_number_or_auto(read, "parallel_batches", most_parallel_batches, settings.parallel_batches);
  read.read("concurrent", 1, most_concurrent, settings.concurrent);
  read_seconds(read, "timeout_seconds", settings.timeout);
  read.read("min_complexity", 1, most_complexity, settings.min_complexity);
  if (read.has("model")) settings.model = read.filled_text("model");
  if (read.has("fallback_model")) settings.fallback = read.filled_text("fallback_model");
  if (read.has("output_directory")) settings.output_directory = read.filled_text("output_directory");
  read_choice(read, "effort", "one of low, medium, high", [&](const std::string& value) {
    return settings.effort = value, value == "low" || value == "medium" || value == "high";
  });
  read_limit(read, "cost_limit", settings.cost_limit);
  read_limit(read, "budget", settings.budget);
  read_choice(read, "on_limit", "one of stop, next, warn", [&](const std::string& value) {
    for (auto policy : {limit_policy::stop, limit_policy::next, limit_policy::warn})
      if (value == name(policy)) return settings.on_limit = policy, true;
    return false;
  });
}

void read_retries(const config_reader& read, actors::retry_limits& retries) {
  read.read("after_unconfirmed", 0, 20, retries.unconfirmed);
  read.read("after_worker_lost", 0, 100, retries.worker_lost);
  read.read("pause_ms", 0, 60'000, retries.pause);
  read.read("most_output_tokens", 1, 128'000, retries.most_output_tokens);
  for (auto code : {ec::cut_off, ec::empty_answer, ec::no_code, ec::broken_code, ec::refused}) {
    const auto key = fmt::format("after_{}", name(code));
    if (read.has(key)) read.require(key, 0, 20, retries.after_answer[code]);
  }
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
  const auto document = config_document::load(config_directory() / "defaults.json");
  if (!document) return tl::unexpected{document.error()};
  const auto run = document->group("run");
  run_defaults defaults;
  run.read("ballast_bytes", 0, 1 << 30, defaults.ballast_bytes);
  run.read("grace_seconds", 0, longest_timeout_seconds, defaults.grace);
  run.read("overloaded_model_rest_ms", 0, 3'600'000, defaults.fallback_rest);
  read_choice(run, "prompt_cache", "one of none, 5m, 1h", [&](const std::string& value) {
    if (value == "none") defaults.cache = cache_mode::none;
    if (value == "5m") defaults.cache = cache_mode::five_minutes;
    if (value == "1h") defaults.cache = cache_mode::one_hour;
    return value == "none" || value == "5m" || value == "1h";
  });
  if (run.has("settings")) read_settings(run.object("settings"), defaults.settings);
  if (run.has("retries")) read_retries(run.object("retries"), defaults.retries);
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return defaults;
}

expected<void> lay_template(const std::string& name, run_settings& settings) {
  const auto folder = config_directory() / "templates";
  const bool plain_name = name.find_first_of("/\\") == std::string::npos && name != ".." && !name.empty();
  const auto file = folder / (name + ".json");
  if (!plain_name || !std::filesystem::exists(file))
    return fail(ec::usage, fmt::format("--template: there is no '{}'; there are: {}", name, template_names(folder)));
  const auto document = config_document::load(file);
  if (!document) return tl::unexpected{document.error()};
  document->top().read_elsewhere({"description"});  // By people.
  read_settings(document->top(), settings);
  return document->finish();
}

}  // namespace cohort::cli
