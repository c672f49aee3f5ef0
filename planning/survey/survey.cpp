// Runs the steps of a survey: discover -> parse -> resolve imports -> see what tests cover -> gaps.

#include "planning/survey/survey.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/text.hpp"
#include "languages/paths/naming_of_tests.hpp"
#include "languages/paths/path_names.hpp"
#include "planning/survey/framework_detection.hpp"
#include "planning/survey/gaps.hpp"
#include "planning/survey/module_resolution.hpp"
#include "planning/survey/project_parser.hpp"
#include "planning/survey/unloadable_sources.hpp"

namespace cohort::planning {

namespace fs = std::filesystem;

namespace {

constexpr size_t most_examples = 3;

class surveyor {
 public:
  surveyor(const fs::path& project, const survey_options& options, const languages::language_set& languages)
      : project_(project), options_(options), languages_(languages) {}

  project_survey run(discovery found, const discovery_rules& rules) {
    auto parsed = parse_all(project_, found.files, options_, rules, languages_);
    counts().candidates = static_cast<uint32_t>(found.files.size());
    counts().parsed = static_cast<uint32_t>(parsed.files.size());
    counts().from_cache = parsed.from_cache;
    result_.skipped = std::move(found.skipped);
    std::move(parsed.skipped.begin(), parsed.skipped.end(), std::back_inserter(result_.skipped));
    std::sort(result_.skipped.begin(), result_.skipped.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    if (!found.note.empty()) result_.warnings.push_back(found.note);
    if (!parsed.warning.empty()) result_.warnings.push_back(parsed.warning);
    find_gaps(parsed.files, found.work_tree);
    result_.files.reserve(parsed.files.size());
    for (auto& one : parsed.files) result_.files.push_back(std::move(one.file));
    return std::move(result_);
  }

 private:
  survey_counts& counts() noexcept { return result_.counts; }

  void find_gaps(std::vector<languages::parsed_file>& files, const fs::path& work_tree) {
    module_resolver resolver{project_, files};
    for (auto& one : files)
      if (const auto* lang = languages_.by_id(one.file.language)) resolver.resolve(*lang, one.file);
    const auto [coverage, not_followed] = find_coverage(files, languages_);
    if (!not_followed.empty())
      result_.warnings.push_back(fmt::format(
          "'{}' leads to more files and names than the tests of a project of this size; tests behind it are "
          "not looked at",
          printable(not_followed, 1000)));
    framework_finder frameworks{project_, work_tree};
    group_tests(files, frameworks);
    loadability loads{files, languages_, frameworks};
    for (uint32_t i = 0; i < files.size(); ++i) {
      if (!has_gap(files[i].file, coverage[i])) continue;
      const auto* lang = languages_.by_id(files[i].file.language);
      if (lang == nullptr) continue;
      if (auto why = loads.why_not(i, frameworks.framework_of(*lang, files[i].file.path)); !why.empty()) {
        ++counts().not_loadable;
        result_.skipped.push_back({files[i].file.path, ec::not_importable, std::move(why)});
        continue;
      }
      add_gap(i, files, coverage[i], *lang, resolver, frameworks);
    }
    std::stable_sort(result_.skipped.begin(), result_.skipped.end(),
                     [](const auto& a, const auto& b) { return a.path < b.path; });
    auto problems = frameworks.problems();
    problems.insert(resolver.problems().begin(), resolver.problems().end());
    for (const auto& [path, problem] : problems) result_.warnings.push_back(problem);
  }

  [[nodiscard]] bool has_gap(const languages::source_file& file, const file_coverage& coverage) {
    if (file.is_test) {
      ++counts().tests;
    } else if (coverage.testable.empty()) {
      ++counts().no_public_symbols;
    } else if (coverage.untested.empty()) {
      ++counts().fully_tested;
    } else if (file.complexity < options_.min_complexity) {
      ++counts().too_simple;
    } else {
      return true;
    }
    return false;
  }

  void add_gap(uint32_t index, const std::vector<languages::parsed_file>& files, const file_coverage& coverage,
               const languages::language& lang, const module_resolver& resolver, framework_finder& frameworks) {
    const auto& file = files[index].file;
    file_gap gap;
    gap.file = index;
    gap.untested = coverage.untested;
    gap.framework = frameworks.framework_of(lang, file.path);
    for (const auto test : coverage.tests) gap.tests.push_back(files[test].file.path);
    std::stable_sort(gap.tests.begin(), gap.tests.end(), [&](const auto& a, const auto& b) {
      return is_named_after(lang, a, file.path) > is_named_after(lang, b, file.path);
    });
    if (gap.tests.empty()) gap.examples = nearest_tests(file, gap.framework, lang);
    for (const auto& import : file.imports)
      if (!import.resolved.empty() && import.resolved != file.path) gap.dependencies.push_back(import.resolved);
    std::sort(gap.dependencies.begin(), gap.dependencies.end());
    gap.dependencies.erase(std::unique(gap.dependencies.begin(), gap.dependencies.end()), gap.dependencies.end());
    gap.import_root = resolver.import_root(lang, file.path);
    ++counts().with_gaps;
    counts().untested_symbols += static_cast<uint32_t>(gap.untested.size());
    result_.gaps.push_back(std::move(gap));
  }

  static bool is_named_after(const languages::language& lang, std::string_view test, std::string_view source) {
    const auto stems = languages::tested_stems(lang, test);
    return std::find(stems.begin(), stems.end(), languages::stem_of(source)) != stems.end();
  }

  /// Tests by their names (not only files in a test folder), as examples for their folder and for all folders above it.
  void group_tests(const std::vector<languages::parsed_file>& files, framework_finder& frameworks) {
    for (const auto& one : files) {
      const auto* lang = languages_.by_id(one.file.language);
      if (lang == nullptr || !one.file.is_test || languages::tested_stems(*lang, one.file.path).empty()) continue;
      const auto& framework = frameworks.framework_of(*lang, one.file.path);
      for (auto folder = languages::folder_of(one.file.path);; folder = languages::folder_of(folder)) {
        auto& examples = examples_[{lang, folder, framework}];
        if (examples.size() < most_examples) examples.push_back(one.file.path);
        if (folder.empty()) break;
      }
    }
  }

  /// The tests that share the most folders with the file come first; files of one folder get the same tests.
  [[nodiscard]] const std::vector<std::string>& nearest_tests(const languages::source_file& file,
                                                              const std::string& framework,
                                                              const languages::language& lang) {
    const auto key = std::pair{&lang, std::string{languages::folder_of(file.path)}};
    if (const auto known = nearest_.find(key); known != nearest_.end()) return known->second;
    std::vector<std::string> chosen;
    for (auto folder = languages::folder_of(file.path);; folder = languages::folder_of(folder)) {
      if (const auto found = examples_.find({&lang, folder, framework}); found != examples_.end())
        for (const auto test : found->second)
          if (chosen.size() < most_examples && std::find(chosen.begin(), chosen.end(), test) == chosen.end())
            chosen.emplace_back(test);
      if (folder.empty()) break;
    }
    return nearest_.emplace(key, std::move(chosen)).first->second;
  }

  const fs::path& project_;
  const survey_options& options_;
  const languages::language_set& languages_;
  project_survey result_;
  /// By language, folder and framework, in the files' order.
  std::map<std::tuple<const languages::language*, std::string_view, std::string_view>, std::vector<std::string_view>>
      examples_;
  std::map<std::pair<const languages::language*, std::string>, std::vector<std::string>> nearest_;
};

}  // namespace

expected<void> survey_options::validate() const {
  if (min_complexity < 1 || min_complexity > 10)
    return fail(ec::usage, fmt::format("the least complexity is {}; it must be from 1 to 10", min_complexity));
  if (threads < 1 || threads > 64) return fail(ec::usage, fmt::format("{} threads; 1 to 64 are possible", threads));
  if (cache != survey_cache::off && cache_file.empty()) return fail(ec::usage, "the cache needs the path of its file");
  return {};
}

expected<project_survey> survey(const fs::path& project, const survey_options& options, const discovery_rules& rules,
                                const languages::language_set& languages) {
  if (auto valid = options.validate(); !valid) return tl::unexpected{valid.error()};
  auto found = discover(project, options.discover, rules, languages);
  if (!found) return tl::unexpected{found.error()};
  return surveyor{project, options, languages}.run(std::move(*found), rules);
}

expected<project_survey> survey(const fs::path& project, const survey_options& options,
                                const languages::language_set& languages) {
  const auto rules = load_discovery_rules(config_directory());
  if (!rules) return tl::unexpected{rules.error()};
  return survey(project, options, *rules, languages);
}

}  // namespace cohort::planning
