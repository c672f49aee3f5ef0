// Reads config/defaults.json ("run") and lays the user's settings over it.

#include "app/run_defaults.hpp"

#include <fmt/format.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "settings/layers.hpp"

namespace cohort::app {

namespace {

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

void read_cache(const config_reader& read, cache_mode& cache) {
  if (!read.has("prompt_cache")) return;
  const auto& value = read.at("prompt_cache").json();
  if (value == "none")
    cache = cache_mode::none;
  else if (value == "5m")
    cache = cache_mode::five_minutes;
  else if (value == "1h")
    cache = cache_mode::one_hour;
  else
    read.refuse("prompt_cache", "must be one of none, 5m, 1h");
}

expected<run_defaults> load_built_in() {
  const auto document = config_document::load(config_directory() / "defaults.json");
  if (!document) return tl::unexpected{document.error()};
  const auto run = document->group("run");
  run_defaults defaults;
  run.read("ballast_bytes", 0, 1 << 30, defaults.ballast_bytes);
  run.read("grace_seconds", 0, settings::longest_timeout_seconds, defaults.grace);
  run.read("overloaded_model_rest_ms", 0, 3'600'000, defaults.fallback_rest);
  read_cache(run, defaults.cache);
  settings::setting_values values;
  if (run.has("settings")) values = settings::read_settings(run.object("settings"), settings::file_author::program);
  if (run.has("retries")) read_retries(run.object("retries"), defaults.retries);
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  if (auto applied = settings::apply(values, defaults.settings); !applied) return tl::unexpected{applied.error()};
  return defaults;
}

}  // namespace

expected<run_defaults> load_run_defaults() {
  auto defaults = load_built_in();
  const auto file = settings::users_file();
  if (!defaults || !file) return defaults;
  const auto values = settings::load_users_file(*file);
  if (!values) return tl::unexpected{values.error()};
  if (auto applied = settings::apply(*values, defaults->settings); !applied) return tl::unexpected{applied.error()};
  return defaults;
}

}  // namespace cohort::app
