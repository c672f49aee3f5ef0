// The options of the generating commands: what is asked of the application, and how this process speaks of it.
#pragma once

#include <string_view>

#include "app/reports/run_report.hpp"
#include "app/run_request.hpp"
#include "cli/screen/progress_screen.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace cohort::cli {

/// Options of `generate-logical-batch` and `generate-logical`.
struct generate_options {
  app::run_request request;
  bool stats = false;
  bool dry_run = false;
  bool clean = false;
  bool json = false;
  bool quiet = false;
  bool verbose = false;

  [[nodiscard]] verbosity level() const noexcept {
    return quiet ? verbosity::quiet : verbose ? verbosity::verbose : verbosity::normal;
  }
  [[nodiscard]] app::table_style style() const noexcept { return {verbose, request.shows_batches}; }
};

/// Adds the options that both commands share to `command`.
void add_generate_options(CLI::App& command, generate_options& options);

/// The option of the setting `name`, as the table has it.
CLI::Option* add_setting(CLI::App& command, app::run_request& request, std::string_view name, const char* group);

/// `--provider`; with `all` also what belongs to single providers.
enum class provider_options : uint8_t { name_only, all };
void add_provider(CLI::App& command, app::provider_choice& choice, provider_options which, const char* group);

}  // namespace cohort::cli
