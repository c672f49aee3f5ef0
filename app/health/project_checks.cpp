// What lies on this machine: the project, its state, the disk, git, grammars and test frameworks.

#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/health/health.hpp"
#include "app/loaded_languages.hpp"
#include "app/resolve_run.hpp"
#include "app/run_liveness.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "planning/sizing/planning_defaults.hpp"
#include "planning/survey/git_tree.hpp"
#include "planning/survey/survey.hpp"
#include "state/foreign_state.hpp"
#include "state/generated_files.hpp"
#include "state/ledger/ledger_backup.hpp"

namespace cohort::app {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t mebibyte = 1 << 20;
constexpr uint64_t too_little_space = 32 * mebibyte;
constexpr uint64_t little_space = 256 * mebibyte;

health_check check_folder(const std::string& what, const fs::path& folder) {
  if (const auto fine = check_writable(folder); !fine)
    return {what, health_grade::wrong, fine.error().message,
            fine.error().code == ec::not_found ? "move it away" : "make it writable for this user", false};
  const bool there = nearest_existing(folder) == folder;
  return {what, health_grade::good, printable(folder.string(), 500) + (there ? " can be written" : " can be made"), "",
          false};
}

health_check check_space(const fs::path& folder) {
  const auto path = nearest_existing(folder);
  const auto free = free_space(path);
  if (!free) return {"disk", health_grade::wrong, free.error().message, "", false};
  const auto text = fmt::format("{} MiB free", *free / mebibyte);
  if (*free < too_little_space)
    return {"disk", health_grade::wrong, text, "free some space: answers are stored before anything else", false};
  if (*free < little_space) return {"disk", health_grade::unsure, text, "free some space for a large run", false};
  return {"disk", health_grade::good, text, "", false};
}

health_check check_lock(const project_context& context) {
  const auto holder = state::current_holder(context.workspace.lock_file());
  if (!holder) return {"lock", health_grade::good, "no run is under way here", "", false};
  return {"lock", health_grade::wrong,
          fmt::format("process {} on {} runs here since {}: {}", holder->process, printable(holder->host),
                      to_iso8601(holder->since), printable(holder->command, 500)),
          fmt::format("wait for its end; watch it with: cohort generate-logical-batch {} --stats",
                      printable(context.workspace.project.string(), 500)),
          false};
}

health_check check_ledger(const project_context& context) {
  if (const auto own = state::check_own_state(context.workspace); !own)
    return {"ledger", health_grade::wrong, own.error().message,
            fmt::format("look at it with: cohort trust {}", printable(context.workspace.project.string(), 500)), false};
  const auto ledger = state::open_ledger(context.workspace, state::ledger::access::read_only);
  if (!ledger && ledger.error().code == ec::state_missing)
    return {"ledger", health_grade::good, "none yet: a run starts afresh", "", false};
  if (!ledger) return {"ledger", health_grade::wrong, ledger.error().message, "", false};
  const auto audit = ledger->audit(context.models.models());
  if (!audit) return {"ledger", health_grade::wrong, audit.error().message, "", false};
  if (!audit->findings.empty()) {
    const auto& first = audit->findings.front();
    return {
        "ledger", health_grade::wrong,
        fmt::format("{} things do not agree, the first: {}: {}", audit->findings.size(), first.where, first.what),
        fmt::format("look at all of them with: cohort verify {}", printable(context.workspace.project.string(), 500)),
        false};
  }
  const auto run = ledger->newest_run();
  if (!run || !*run) return {"ledger", health_grade::good, "sound, without a run", "", false};
  const auto tasks = (*run)->tasks();
  const auto status = was_killed(**run, state::current_holder(context.workspace.lock_file()))
                          ? "was interrupted without a word"
                          : fmt::format("is {}", name((*run)->status));
  return {"ledger", health_grade::good,
          fmt::format("sound; {} {}, {} of {} tasks are done", (*run)->batch_id, status, tasks.final(), tasks.total()),
          "", false};
}

health_check check_git(const project_context& context) {
  const planning::git_tree tree{context.workspace.project};
  if (tree.usable()) return {"git", health_grade::good, "the work tree says which files count", "", false};
  if (!tree.note().empty())
    return {"git", health_grade::unsure, printable(tree.note(), 300), "mend the repository, or use --exclude", false};
  return {"git", health_grade::good, "no work tree: all files count but for the usual build and vendor folders", "",
          false};
}

/// Grammars load, and accept the kinds of nodes that config/languages/ names; prompts exist for each language.
health_check check_grammars(const expected<loaded_languages>& known) {
  if (!known) return {"grammars", health_grade::wrong, known.error().message, "correct the file", true};
  if (auto defaults = planning::load_planning_defaults(config_directory()); !defaults)
    return {"grammars", health_grade::wrong, defaults.error().message, "correct the file", true};
  std::vector<std::string> names;
  for (const auto& lang : known->languages->all()) {
    for (const auto& extension : lang->extensions)
      if (const auto parsed = languages::check_syntax(*lang, extension, "\n"); !parsed.ok)
        return {"grammars", health_grade::wrong, fmt::format("the grammar for {} files does not work", extension),
                "build again from scratch", true};
    names.push_back(lang->name);
  }
  return {"grammars", health_grade::good, fmt::format("{}", fmt::join(names, ", ")), "", false};
}

bool is_fallback(const languages::language& lang, const std::string& framework) {
  for (const auto& rule : lang.frameworks)
    if (rule.id == framework) return rule.fallback;
  return false;
}

health_check check_frameworks(const project_context& context, const languages::language_set& languages) {
  planning::survey_options options;
  options.discover.include = context.request.include;
  options.discover.exclude = context.request.exclude;
  // What is wrong with a ledger is told by a check of its own.
  if (auto generated = state::generated_files(context.workspace)) options.discover.generated = std::move(*generated);
  options.min_complexity = 1;
  options.cache = planning::survey_cache::read_only;
  options.cache_file = context.workspace.cache_file();
  const auto seen = planning::survey(context.workspace.project, options, languages);
  if (!seen) return {"tests", health_grade::wrong, seen.error().message, "", false};
  if (seen->counts.parsed == 0)
    return {"tests", health_grade::wrong, "no source file in a known language was found",
            "name the project's own directory; see docs/planning.md for which files count", true};
  std::map<std::string, size_t> files;
  std::set<std::string> assumed;
  for (const auto& gap : seen->gaps) {
    const auto* lang = languages.by_path(seen->files[gap.file].path);
    const auto what = fmt::format("{} with {}", lang->name, gap.framework);
    ++files[what];
    if (is_fallback(*lang, gap.framework)) assumed.insert(what);
  }
  std::vector<std::string> words;
  words.reserve(files.size());
  for (const auto& [what, count] : files)
    words.push_back(fmt::format("{} ({} files{})", what, count,
                                assumed.count(what) != 0 ? ", where no manifest names another" : ""));
  if (words.empty()) return {"tests", health_grade::unsure, "nothing lacks tests", "there is nothing to do", false};
  if (!seen->warnings.empty())
    return {"tests", health_grade::unsure, printable(seen->warnings.front(), 500), "correct the file", false};
  return {"tests", health_grade::good, fmt::format("{}", fmt::join(words, ", ")), "", false};
}

}  // namespace

std::string_view name(health_grade grade) noexcept {
  switch (grade) {
    case health_grade::good: return "ok";
    case health_grade::unsure: return "warning";
    case health_grade::wrong: return "problem";
    case health_grade::unasked: return "unknown";
  }
  return "unknown";
}

void check_project(const project_context& context, health_report& report) {
  const auto stored = look_at_state(context);
  const auto& settings = stored && unfinished(stored->run) ? stored->run->settings : context.defaults.settings;
  report.push_back(check_lock(context));
  report.push_back(check_ledger(context));
  report.push_back(check_folder("state", context.workspace.root()));
  const auto output = output_folder(context, settings);
  if (output != context.workspace.default_output()) report.push_back(check_folder("output", output));
  report.push_back(check_space(context.workspace.root()));
  report.push_back(check_git(context));
  const auto known = shared_languages();
  report.push_back(check_grammars(known));
  if (known) report.push_back(check_frameworks(context, *known->languages));
}

}  // namespace cohort::app
