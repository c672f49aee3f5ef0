// Starts from each test: finds the files that the test reaches, then which of their symbols it mentions.

#include "planning/survey/gaps.hpp"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>

#include "languages/paths/naming_of_tests.hpp"
#include "languages/paths/path_names.hpp"

namespace cohort::planning {

namespace {

constexpr int longest_reexport_chain = 8;
constexpr uint64_t least_steps = 200'000'000;     ///< Some seconds.
constexpr uint64_t steps_for_each_file = 10'000;  ///< Projects that people write take hundreds.
constexpr uint64_t steps_of_a_visit = 100;

bool mentions(const languages::parsed_file& test, std::string_view name) {
  return std::binary_search(test.mentions.begin(), test.mentions.end(), languages::name_hash(name));
}

bool is_index(const languages::language& lang, std::string_view path) {
  const auto& index = lang.modules.index;
  return std::find(index.begin(), index.end(), languages::name_of(path)) != index.end();
}

/// A name in a file, and its name in the test's import: they differ after `export { rate as vat } from "./tax"`.
struct route {
  std::string_view name;
  std::string_view imported;
};

/// The names of a file that a test can reach.
struct reach {
  bool everything = true;     ///< All names, unchanged.
  std::vector<route> routes;  ///< The reachable names; with `everything` only the renamed ones.
};

/// The entries of `all` that belong to one import. `all` is in the order of the imports.
auto of_import(const std::vector<languages::import_alias>& all, uint32_t import) {
  return std::equal_range(
      all.begin(), all.end(), languages::import_alias{import, {}, {}},
      [](const languages::import_alias& a, const languages::import_alias& b) { return a.import < b.import; });
}

class coverage_finder {
 public:
  coverage_finder(const std::vector<languages::parsed_file>& files, const languages::language_set& languages)
      : files_(files),
        languages_(languages),
        coverage_(files.size()),
        covered_(files.size()),
        steps_left_(least_steps + steps_for_each_file * files.size()) {
    by_path_.reserve(files.size());
    for (uint32_t i = 0; i < files.size(); ++i) {
      const auto& file = files[i].file;
      by_path_.emplace(file.path, i);
      by_folder_[languages::folder_of(file.path)].push_back(i);
      if (file.is_test) continue;
      by_stem_[languages::stem_of(file.path)].push_back(i);
      covered_[i].resize(file.symbols.size());
      for (uint32_t s = 0; s < file.symbols.size(); ++s)
        if (file.symbols[s].is_public && is_testable(file.symbols[s])) coverage_[i].testable.push_back(s);
    }
  }

  coverage_of_all run() {
    coverage_of_all result;
    for (uint32_t i = 0; i < files_.size(); ++i) {
      if (!files_[i].file.is_test) continue;
      examine(i);
      if (steps_left_ > 0) continue;
      result.not_followed = files_[i].file.path;
      break;
    }
    for (uint32_t i = 0; i < files_.size(); ++i)
      for (const auto s : coverage_[i].testable)
        if (!covered_[i][s]) coverage_[i].untested.push_back(s);
    result.files = std::move(coverage_);
    return result;
  }

 private:
  /// False once the tests of the project took more steps than those of any project that people write.
  bool spend(uint64_t steps) noexcept {
    steps_left_ -= std::min(steps_left_, steps);
    return steps_left_ > 0;
  }

  void examine(uint32_t test) {
    visited_.clear();
    const auto& file = files_[test].file;
    const auto* lang = languages_.by_id(file.language);
    if (lang == nullptr) return;
    for (uint32_t i = 0; i < file.imports.size(); ++i) {
      const auto& import = file.imports[i];
      reach whole{import.names.empty(), {}};
      for (const auto& name : import.names) whole.routes.push_back({name, name});
      follow(test, import.resolved, whole, i, 0);
    }
    if (const auto counterpart = named_after(*lang, file.path); counterpart < files_.size())
      reached(test, counterpart, {});
    if (lang->modules.same_folder_is_visible)
      for (const auto neighbour : by_folder_[languages::folder_of(file.path)])
        if (files_[neighbour].file.language == file.language) reached(test, neighbour, {});
  }

  /// Records that the test gets `what` from the file at `path`, and follows re-exports from there.
  void follow(uint32_t test, const std::string& path, const reach& what, uint32_t import, int depth) {
    if (path.empty() || depth > longest_reexport_chain || !spend(steps_of_a_visit)) return;
    const auto found = by_path_.find(path);
    if (found == by_path_.end()) return;
    const auto target = found->second;
    if (!visit(target, what, import)) return;
    reached(test, target, what, import);
    const auto& file = files_[target];
    const auto* lang = languages_.by_id(file.file.language);
    if (lang == nullptr) return;
    for (uint32_t i = 0; i < file.file.imports.size() && spend(1); ++i)
      if (const auto behind = handed_on(file, i, *lang, what))
        follow(test, file.file.imports[i].resolved, *behind, import, depth + 1);
  }

  /// False if the present import has led to this file with the same names before.
  bool visit(uint32_t target, const reach& what, uint32_t import) {
    if (!spend(steps_of_a_visit * what.routes.size())) return false;
    bool first = what.everything && visited_.emplace(import, target, "*", "*").second;
    for (const auto& [name, imported] : what.routes)
      first = visited_.emplace(import, target, name, imported).second || first;
    return first;
  }

  /// The part of `wanted` that the file has from its import number `index`; nothing if the file does not re-export it.
  std::optional<reach> handed_on(const languages::parsed_file& file, uint32_t index, const languages::language& lang,
                                 const reach& wanted) {
    const auto& next = file.file.imports[index];
    if (next.resolved.empty()) return std::nullopt;
    // Python re-exports whatever a file imports; other languages need an export.
    const bool dotted = lang.modules.style == languages::module_style::dotted;
    const bool hands_on_all = (dotted && (is_index(lang, file.file.path) || !wanted.everything)) || file.file.is_test;
    if (!next.is_reexport && !hands_on_all) return std::nullopt;
    std::vector<route> handed;  // Name in the imported file -> name in this one.
    if (next.is_reexport) {
      const auto [begin, end] = of_import(file.reexports, index);
      for (auto one = begin; one != end; ++one) handed.push_back({one->name, one->local});
    } else {
      const auto [begin, end] = of_import(file.aliases, index);
      if (!spend(next.names.size() * (1 + static_cast<uint64_t>(end - begin)))) return std::nullopt;
      for (const auto& name : next.names) {
        const auto alias =
            std::find_if(begin, end, [&](const languages::import_alias& one) { return one.name == name; });
        handed.push_back({name, alias == end ? name : alias->local});
      }
    }
    if (!spend((handed.size() + 1) * (wanted.routes.size() + 1))) return std::nullopt;
    if (handed.empty()) return wanted;
    return selected(handed, wanted);
  }

  static std::optional<reach> selected(const std::vector<route>& handed, const reach& wanted) {
    // The default export of a CommonJS module is the object with all its names.
    const bool all = wanted.everything || std::any_of(wanted.routes.begin(), wanted.routes.end(),
                                                      [](const route& one) { return one.name == "default"; });
    reach result{false, {}};
    for (const auto& [name, exported] : handed) {
      const auto before = result.routes.size();
      for (const auto& one : wanted.routes)
        if (one.name == exported) result.routes.push_back({name, one.imported});
      if (all && result.routes.size() == before) result.routes.push_back({name, exported});
      if (name == "*" && result.routes.size() > before) result.everything = true;
    }
    if (result.routes.empty()) return std::nullopt;
    return result;
  }

  /// Marks the symbols of the file that the test mentions.
  void reached(uint32_t test, uint32_t target, const reach& what, uint32_t import = UINT32_MAX) {
    const auto& file = files_[target].file;
    if (file.is_test || !spend(4)) return;
    auto& tests = coverage_[target].tests;
    if (tests.empty() || tests.back() != test) tests.push_back(test);
    const auto* lang = languages_.by_id(file.language);
    for (const auto s : coverage_[target].testable)
      if (!covered_[target][s] && spend(1))
        covered_[target][s] = uses(files_[test], file.symbols[s], what, import, *lang);
  }

  [[nodiscard]] bool uses(const languages::parsed_file& test, const languages::symbol& one, const reach& what,
                          uint32_t import, const languages::language& lang) {
    if (mentions(test, one.name)) return true;
    if (!spend(what.routes.size() + test.aliases.size() + one.members.size())) return false;
    const auto is_meant = [&](std::string_view name) {
      return name == one.name || (name == "default" && one.is_default_export);
    };
    const auto has_alias = [&](const auto& fits) {
      if (!spend(test.aliases.size())) return false;
      return std::any_of(test.aliases.begin(), test.aliases.end(), [&](const languages::import_alias& alias) {
        return (import == UINT32_MAX || alias.import == import) && fits(alias.name) && mentions(test, alias.local);
      });
    };
    if (has_alias(is_meant)) return true;
    for (const auto& [name, imported] : what.routes)
      if (is_meant(name) &&
          (mentions(test, imported) || has_alias([&as = imported](std::string_view alias) { return alias == as; })))
        return true;
    return lang.members_show_use &&
           std::any_of(one.members.begin(), one.members.end(), [&](const languages::symbol& member) {
             return member.is_public && mentions(test, member.name);
           });
  }

  /// The source file that the test's name points to, nearest by folders; `files_.size()` if there is none, or if
  /// several are equally near.
  [[nodiscard]] uint32_t named_after(const languages::language& lang, const std::string& path) {
    auto best = static_cast<uint32_t>(files_.size());
    size_t best_score = 0;
    bool tie = false;
    for (const auto& stem : languages::tested_stems(lang, path)) {
      const auto found = by_stem_.find(stem);
      if (found == by_stem_.end()) continue;
      const auto folders = static_cast<uint64_t>(std::count(path.begin(), path.end(), '/')) + 1;
      for (const auto candidate : found->second) {
        if (!spend(1 + folders * folders / 4)) break;
        const auto& file = files_[candidate].file;
        const auto& group = lang.import_group;
        if (std::find(group.begin(), group.end(), file.language) == group.end()) continue;
        const auto score = nearness(path, file.path);
        tie = tie ? score == best_score : (best < files_.size() && score == best_score);
        if (best == files_.size() || score > best_score) {
          best = candidate;
          best_score = score;
          tie = false;
        }
      }
    }
    return tie ? static_cast<uint32_t>(files_.size()) : best;
  }

  /// The number of folders with the same name in both paths, minus the source's folders that the test's path lacks.
  static size_t nearness(std::string_view test, std::string_view source) {
    std::vector<std::string_view> have;
    for (auto at = languages::folder_of(test); !at.empty(); at = languages::folder_of(at))
      have.push_back(languages::name_of(at));
    size_t shared = 0;
    size_t missing = 0;
    for (auto at = languages::folder_of(source); !at.empty(); at = languages::folder_of(at))
      ++(std::find(have.begin(), have.end(), languages::name_of(at)) != have.end() ? shared : missing);
    return 1000 + shared * 10 - std::min<size_t>(missing, 100);
  }

  const std::vector<languages::parsed_file>& files_;
  const languages::language_set& languages_;
  std::vector<file_coverage> coverage_;
  std::vector<std::vector<bool>> covered_;
  std::unordered_map<std::string_view, uint32_t> by_path_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> by_folder_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> by_stem_;
  /// What the present test has reached: import, file, and names of the file.
  std::set<std::tuple<uint32_t, uint32_t, std::string_view, std::string_view>> visited_;
  uint64_t steps_left_;
};

}  // namespace

bool is_testable(const languages::symbol& one) noexcept {
  switch (one.kind) {
    case languages::symbol_kind::function:
    case languages::symbol_kind::class_type:
    case languages::symbol_kind::method: return true;
    case languages::symbol_kind::type:
    case languages::symbol_kind::constant: return false;
  }
  return false;
}

coverage_of_all find_coverage(const std::vector<languages::parsed_file>& files,
                              const languages::language_set& languages) {
  return coverage_finder{files, languages}.run();
}

}  // namespace cohort::planning
