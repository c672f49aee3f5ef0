// From each test outward: which files it reaches, then which of their symbols it mentions.

#include "planning/gaps.hpp"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "planning/path_names.hpp"
#include "planning/test_files.hpp"

namespace cohort {

namespace {

constexpr int longest_reexport_chain = 8;

bool mentions(const parsed_file& test, std::string_view name) {
  return std::binary_search(test.mentions.begin(), test.mentions.end(), name_hash(name));
}

bool is_index(const language& lang, std::string_view path) {
  const auto& index = lang.modules.index;
  return std::find(index.begin(), index.end(), name_of(path)) != index.end();
}

/// What a test can get at in a file. No names: everything.
struct reach {
  uint32_t file;
  const std::vector<std::string>* names;
};

class gap_judge {
 public:
  gap_judge(const std::vector<parsed_file>& files, const language_set& languages)
      : files_(files), languages_(languages), coverage_(files.size()), covered_(files.size()) {
    by_path_.reserve(files.size());
    for (uint32_t i = 0; i < files.size(); ++i) {
      const auto& file = files[i].file;
      by_path_.emplace(file.path, i);
      by_folder_[folder_of(file.path)].push_back(i);
      if (file.is_test) continue;
      by_stem_[stem_of(file.path)].push_back(i);
      covered_[i].resize(file.symbols.size());
      for (uint32_t s = 0; s < file.symbols.size(); ++s)
        if (file.symbols[s].is_public && is_testable(file.symbols[s])) coverage_[i].testable.push_back(s);
    }
  }

  std::vector<file_coverage> run() {
    for (uint32_t i = 0; i < files_.size(); ++i)
      if (files_[i].file.is_test) examine(i);
    for (uint32_t i = 0; i < files_.size(); ++i)
      for (const auto s : coverage_[i].testable)
        if (!covered_[i][s]) coverage_[i].untested.push_back(s);
    return std::move(coverage_);
  }

 private:
  void examine(uint32_t test) {
    reached_.clear();
    const auto& file = files_[test].file;
    const auto* lang = languages_.by_id(file.language);
    if (lang == nullptr) return;
    for (uint32_t i = 0; i < file.imports.size(); ++i) {
      const auto& import = file.imports[i];
      follow(test, import.resolved, import.names, i, 0);
    }
    if (const auto counterpart = named_after(*lang, file.path); counterpart < files_.size()) reached(test, counterpart);
    if (lang->modules.same_folder_is_visible)
      for (const auto neighbour : by_folder_[folder_of(file.path)])
        if (files_[neighbour].file.language == file.language) reached(test, neighbour);
  }

  /// The test gets `names` (none: everything) from the file at `path`; goes on where that file has them from.
  void follow(uint32_t test, const std::string& path, const std::vector<std::string>& names, uint32_t import,
              int depth) {
    const auto found = by_path_.find(path);
    if (path.empty() || found == by_path_.end() || depth > longest_reexport_chain) return;
    const auto target = found->second;
    const auto& file = files_[target].file;
    if (depth > 0 || !file.is_test) {
      if (!reached(test, target, import) && depth > 0) return;
    }
    const auto* lang = languages_.by_id(file.language);
    if (lang == nullptr) return;
    const bool dotted = lang->modules.style == module_style::dotted;
    for (const auto& next : file.imports) {
      // Python hands on whatever it imports; the others say so.
      const bool hands_on =
          next.is_reexport || (dotted && (is_index(*lang, file.path) || !names.empty())) || file.is_test;
      if (!hands_on || next.resolved.empty()) continue;
      if (names.empty() || next.names.empty() || share_a_name(names, next.names))
        follow(test, next.resolved, next.names.empty() ? names : next.names, import, depth + 1);
    }
  }

  static bool share_a_name(const std::vector<std::string>& a, const std::vector<std::string>& b) {
    return std::any_of(a.begin(), a.end(), [&](const std::string& name) {
      return name == "default" || std::find(b.begin(), b.end(), name) != b.end();
    });
  }

  /// Marks what the test mentions of the file. False if the test has been here before.
  bool reached(uint32_t test, uint32_t target, uint32_t import = UINT32_MAX) {
    const auto& file = files_[target].file;
    if (file.is_test) return reached_.insert(target).second;
    const bool first = reached_.insert(target).second;
    auto& tests = coverage_[target].tests;
    if (tests.empty() || tests.back() != test) tests.push_back(test);
    const auto* lang = languages_.by_id(file.language);
    for (const auto s : coverage_[target].testable)
      if (!covered_[target][s]) covered_[target][s] = uses(files_[test], file.symbols[s], import, *lang);
    return first;
  }

  [[nodiscard]] static bool uses(const parsed_file& test, const symbol& one, uint32_t import, const language& lang) {
    if (mentions(test, one.name)) return true;
    for (const auto& alias : test.aliases) {
      if (import != UINT32_MAX && alias.import != import) continue;
      if (alias.name == one.name || (alias.name == "default" && one.is_default_export))
        if (mentions(test, alias.local)) return true;
    }
    return lang.members_show_use && std::any_of(one.members.begin(), one.members.end(), [&](const symbol& member) {
             return member.is_public && mentions(test, member.name);
           });
  }

  /// The source file that the test's name points to, nearest by folders; `files_.size()` if there is none or no one.
  [[nodiscard]] uint32_t named_after(const language& lang, const std::string& path) const {
    auto best = static_cast<uint32_t>(files_.size());
    size_t best_score = 0;
    bool tie = false;
    for (const auto& stem : tested_stems(lang, path)) {
      const auto found = by_stem_.find(stem);
      if (found == by_stem_.end()) continue;
      for (const auto candidate : found->second) {
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

  /// Folders with the same name in both paths, those of the source that the test lacks counted against it.
  static size_t nearness(std::string_view test, std::string_view source) {
    std::vector<std::string_view> have;
    for (auto at = folder_of(test); !at.empty(); at = folder_of(at)) have.push_back(name_of(at));
    size_t shared = 0;
    size_t missing = 0;
    for (auto at = folder_of(source); !at.empty(); at = folder_of(at))
      ++(std::find(have.begin(), have.end(), name_of(at)) != have.end() ? shared : missing);
    return 1000 + shared * 10 - std::min<size_t>(missing, 100);
  }

  const std::vector<parsed_file>& files_;
  const language_set& languages_;
  std::vector<file_coverage> coverage_;
  std::vector<std::vector<bool>> covered_;
  std::unordered_map<std::string_view, uint32_t> by_path_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> by_folder_;
  std::unordered_map<std::string_view, std::vector<uint32_t>> by_stem_;
  std::unordered_set<uint32_t> reached_;  ///< By the test at hand.
};

}  // namespace

bool is_testable(const symbol& one) noexcept {
  switch (one.kind) {
    case symbol_kind::function:
    case symbol_kind::class_type:
    case symbol_kind::method: return true;
    case symbol_kind::type:
    case symbol_kind::constant: return false;
  }
  return false;
}

std::vector<file_coverage> find_coverage(const std::vector<parsed_file>& files, const language_set& languages) {
  return gap_judge{files, languages}.run();
}

}  // namespace cohort
