// How long planning takes: a synthetic project (or the folder that is named), cold, again, and after one change.
// The files are read once before the clock starts: measured is the work, not the disk.
// Usage: bench_planning [--project DIR] [--files N] [--lines N] [--keep DIR]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/files.hpp"
#include "planning/survey/survey.hpp"
#include "synthetic_project.hpp"

namespace {

namespace fs = std::filesystem;

struct settings {
  fs::path project;  ///< Empty: a synthetic one.
  fs::path keep;     ///< Where the synthetic one goes and stays; empty: a temporary folder.
  uint32_t files = 10'000;
  uint32_t lines = 150;
};

double cpu_seconds(int who) {
  struct rusage usage {};
  getrusage(who, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

long peak_megabytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void read_into_page_cache(const fs::path& project) {
  std::error_code failed;
  for (const auto& entry : fs::recursive_directory_iterator{project, failed})
    if (entry.is_regular_file(failed)) static_cast<void>(cohort::read_file(entry.path()));
}

/// Wall seconds; nothing if the survey failed.
std::optional<double> measure(const char* what, const fs::path& project, const fs::path& cache,
                              cohort::planning::survey_cache mode, const cohort::languages::language_set& languages) {
  cohort::planning::survey_options options;
  options.cache = mode;
  options.cache_file = cache;
  const auto cpu = cpu_seconds(RUSAGE_SELF);
  const auto begin = std::chrono::steady_clock::now();
  const auto found = cohort::planning::survey(project, options, languages);
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  if (!found) {
    fmt::print(stderr, "{}\n", found.error().message);
    return std::nullopt;
  }
  const auto& counts = found->counts;
  size_t errors = 0;
  for (const auto& file : found->files) errors += file.has_errors ? 1 : 0;
  fmt::print(
      "{:<22} {:6.2f} s wall {:6.2f} s CPU {:5} MB peak   {} files ({} from cache), {} tests, {} gaps, "
      "{} skipped, {} with syntax errors\n",
      what, wall.count(), cpu_seconds(RUSAGE_SELF) - cpu, peak_megabytes(), counts.parsed, counts.from_cache,
      counts.tests, counts.with_gaps, found->skipped.size(), errors);
  std::fflush(stdout);
  return wall.count();
}

bool touch_one_file(const fs::path& project) {
  auto text = cohort::read_file(project / "area_0" / "unit_0.py");
  return text &&
         cohort::replace_file(project / "area_0" / "unit_0.py", *text + "\n# changed\n", cohort::durability::later);
}

/// `survey` is what the survey without cache took, in seconds.
void measure_ctags(const fs::path& project, double survey) {
  if (std::system("ctags --version 2>/dev/null | grep -q Universal") != 0) {
    fmt::print("universal-ctags is not installed; nothing to compare with\n");
    return;
  }
  const auto cpu = cpu_seconds(RUSAGE_CHILDREN);
  const auto begin = std::chrono::steady_clock::now();
  const auto command =
      fmt::format("ctags -R --languages=Python,JavaScript,TypeScript -f /dev/null '{}'", project.string());
  const bool done = std::system(command.c_str()) == 0;
  const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
  fmt::print("{:<22} {:6.2f} s wall {:6.2f} s CPU{}; the survey without cache took {:.2f} times as long\n",
             "universal-ctags", wall.count(), cpu_seconds(RUSAGE_CHILDREN) - cpu, done ? "" : "   (failed)",
             survey / wall.count());
}

bool read_settings(int argc, char** argv, settings& chosen) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--project")
      chosen.project = argv[i + 1];
    else if (option == "--keep")
      chosen.keep = argv[i + 1];
    else if (option == "--files")
      chosen.files = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    else if (option == "--lines")
      chosen.lines = static_cast<uint32_t>(std::strtoul(argv[i + 1], nullptr, 10));
    else
      return false;
  }
  return argc % 2 == 1;
}

int run(const settings& chosen) {
  const auto languages = cohort::languages::load_languages(cohort::config_directory());
  if (!languages) {
    fmt::print(stderr, "{}\n", languages.error().message);
    return 1;
  }
  const auto scratch = fs::temp_directory_path() / fmt::format("cohort-bench-planning-{}", getpid());
  const auto project = !chosen.project.empty() ? chosen.project
                       : !chosen.keep.empty()  ? chosen.keep
                                               : scratch / "project";
  const auto cache = scratch / "cache.bin";
  bool good = true;
  if (chosen.project.empty())
    good = cohort::bench::write_synthetic_project(project, chosen.files, chosen.lines).has_value();
  if (good) read_into_page_cache(project);
  std::optional<double> first;
  if (good) first = measure("without cache", project, cache, cohort::planning::survey_cache::off, *languages);
  good = first && measure("cold, writes cache", project, cache, cohort::planning::survey_cache::read_write, *languages);
  if (chosen.project.empty()) good = good && touch_one_file(project);
  good = good && measure("again, one changed", project, cache, cohort::planning::survey_cache::read_write, *languages);
  if (good) measure_ctags(project, *first);
  fs::remove_all(scratch);
  return good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  settings chosen;
  if (read_settings(argc, argv, chosen)) return run(chosen);
  fmt::print(stderr, "usage: {} [--project DIR] [--files N] [--lines N] [--keep DIR]\n", argv[0]);
  return 2;
}
