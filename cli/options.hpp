// What the user asked for, as given: an empty optional means "not said", so that stored settings can fill in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/screen/progress_screen.hpp"
#include "messages/run.hpp"

namespace CLI {
class App;
}

namespace cohort::cli {

/// Options of `generate-logical-batch` and `generate-logical`.
struct generate_options {
  std::filesystem::path project;
  std::optional<std::string> batch_size;  ///< "1" to "50", or "auto".
  std::optional<std::string> model;
  std::optional<std::string> fallback_model;  ///< A model, "auto" or "none".
  std::optional<uint32_t> concurrent;
  std::optional<uint64_t> timeout_seconds;
  std::optional<uint64_t> grace_seconds;  ///< Of this start; not stored.
  std::optional<uint32_t> min_complexity;
  std::optional<std::string> cost_limit;
  std::optional<std::string> budget;
  std::optional<std::string> on_limit;
  std::optional<std::string> parallel_batches;  ///< A number, or "auto".
  std::optional<std::string> effort;
  std::optional<std::string> tests_dir;
  std::string preset;  ///< `--template`
  uint32_t max_batches = 0;
  std::optional<std::filesystem::path> report_dir;
  std::optional<std::filesystem::path> gap_report;
  std::vector<std::string> include;
  std::vector<std::string> exclude;
  std::string provider = "api";         ///< "api" or "simulator".
  std::optional<std::string> scenario;  ///< For the built-in simulator.
  std::vector<std::string> scenario_set;
  std::optional<std::filesystem::path> bill;
  std::optional<std::string> listen;    ///< HOST:PORT where nodes may join.
  std::filesystem::path cluster;        ///< Folder with the certificates.
  std::optional<double> lease_seconds;  ///< Silence after which a node is lost.
  bool resume = false;
  bool stats = false;
  bool dry_run = false;
  bool clean = false;
  bool force = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool batched = true;        ///< False: `generate-logical`.
  bool shows_batches = true;  ///< False: `generate-logical` without `--batch-mode`, which tells people of none.

  [[nodiscard]] bool uses_simulator() const noexcept { return provider == "simulator"; }
  [[nodiscard]] verbosity level() const noexcept {
    return quiet ? verbosity::quiet : verbose ? verbosity::verbose : verbosity::normal;
  }
};

/// Adds the options that both commands share to `command`.
void add_generate_options(CLI::App& command, generate_options& options);

/// Settings for a new run (`base`: defaults) or a continued one (`base`: stored): a template, if one is named, and then
/// the command line win over `base`. Errors: `ec::usage` with the option's name.
[[nodiscard]] expected<run_settings> resolve_settings(const generate_options& options, const run_settings& base);

/// True if `wanted` asks for another plan than `stored` was made for, the model aside.
[[nodiscard]] bool asks_for_another_plan(const run_settings& wanted, const run_settings& stored);

}  // namespace cohort::cli
