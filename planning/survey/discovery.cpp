// Walks the tree. Symbolic links to folders are never followed, so that no loop can arise; a link's target has its own
// path.

#include "planning/survey/discovery.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/config_reader.hpp"
#include "base/files.hpp"
#include "base/text.hpp"
#include "languages/paths/glob.hpp"
#include "languages/paths/naming_of_tests.hpp"
#include "languages/paths/path_names.hpp"
#include "planning/survey/git_tree.hpp"

namespace cohort::planning {

namespace fs = std::filesystem;

namespace {

constexpr int deepest_folder = 200;

struct directory_closer {
  void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

bool holds(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

enum class entry_type : uint8_t { folder, file, link, other, gone };

entry_type type_of(const fs::path& path, unsigned char hint) noexcept {
  switch (hint) {
    case DT_DIR: return entry_type::folder;
    case DT_REG: return entry_type::file;
    case DT_LNK: return entry_type::link;
    case DT_UNKNOWN: break;
    default: return entry_type::other;
  }
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return entry_type::gone;
  if (S_ISDIR(info.st_mode)) return entry_type::folder;
  if (S_ISREG(info.st_mode)) return entry_type::file;
  return S_ISLNK(info.st_mode) ? entry_type::link : entry_type::other;
}

class explorer {
 public:
  explorer(const fs::path& project, const discovery_options& options, const discovery_rules& rules,
           const languages::language_set& languages)
      : project_(project), options_(options), rules_(rules), languages_(languages), git_(project) {}

  expected<discovery> explore() {
    struct stat info {};
    if (::stat(project_.c_str(), &info) != 0) return tl::unexpected{system_error(errno, "open the project", project_)};
    if (!S_ISDIR(info.st_mode))
      return fail(ec::usage,
                  fmt::format("'{}' is no folder; name the project's folder", printable(project_.string(), 1000)));
    const std::unique_ptr<DIR, directory_closer> probe{::opendir(project_.c_str())};
    if (!probe) return tl::unexpected{system_error(errno, "list the project", project_)};
    found_.note = git_.note();
    if (git_.usable()) found_.work_tree = git_.root();
    folder("", 0);
    for (const auto& [path, why] : git_.problems()) skip(path, ec::file_too_large, why);
    std::sort(found_.files.begin(), found_.files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
    std::sort(found_.skipped.begin(), found_.skipped.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  void skip(std::string path, ec code, std::string reason) {
    found_.skipped.push_back({std::move(path), code, std::move(reason)});
  }

  void folder(const std::string& path, int depth) {
    const auto full = project_ / path;
    if (depth > deepest_folder)
      return skip(path, ec::none, fmt::format("nested deeper than {} folders", deepest_folder));
    const std::unique_ptr<DIR, directory_closer> directory{::opendir(full.c_str())};
    if (!directory) return skip(path, system_error(errno, "list", full).code, std::strerror(errno));
    while (const auto* entry = ::readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name == "." || name == "..") continue;
      auto child = path.empty() ? std::string{name} : path + "/" + std::string{name};
      switch (type_of(full / name, entry->d_type)) {
        case entry_type::folder:
          if (enters(child, name)) folder(child, depth + 1);
          break;
        case entry_type::file: file(std::move(child)); break;
        case entry_type::link: link(std::move(child)); break;
        case entry_type::other:
          if (wanted(child) && known(child)) skip(std::move(child), ec::io, "not a regular file");
          break;
        case entry_type::gone: break;
      }
    }
  }

  [[nodiscard]] const languages::language* known(const std::string& path) const { return languages_.by_path(path); }

  [[nodiscard]] bool wanted(const std::string& path) const {
    const auto fits = [&](const std::string& pattern) { return languages::path_filter_match(pattern, path); };
    if (!options_.include.empty() && std::none_of(options_.include.begin(), options_.include.end(), fits)) return false;
    return std::none_of(options_.exclude.begin(), options_.exclude.end(), fits);
  }

  bool enters(const std::string& path, std::string_view name) {
    if (is_for_committed_tests(path)) return git_.usable() && git_.tracks_below(path);
    if (holds(rules_.never_folders, name)) return false;
    const auto excludes = [&](const std::string& pattern) { return languages::path_filter_match(pattern, path); };
    if (std::any_of(options_.exclude.begin(), options_.exclude.end(), excludes)) return false;
    if (!git_.usable()) return enters_without_git(path, name);
    if (git_.is_submodule(path)) {
      skip(path, ec::none, "a git submodule; plan it as a project of its own");
      return false;
    }
    if (git_.tracks_below(path)) return true;
    if (git_.ignores(path, true)) return false;
    struct stat info {};
    if (::lstat((project_ / path / ".git").c_str(), &info) != 0) return true;
    skip(path, ec::none, "another git repository; plan it as a project of its own");
    return false;
  }

  /// True for the folder of committed tests, those that it lies in, and those below it. Tests that a run of somebody
  /// else wrote come with the project: without a ledger that knows them they are its own.
  [[nodiscard]] bool is_for_committed_tests(const std::string& path) const {
    const auto& tests = rules_.committed_tests;
    return path == tests || tests.starts_with(path + '/') || path.starts_with(tests + '/');
  }

  bool enters_without_git(const std::string& path, std::string_view name) {
    if (!rules_.without_git_hidden_folders && name.front() == '.') return false;
    if (!holds(rules_.without_git_folders, name) || is_named(path)) return true;
    if (options_.include.empty())
      skip(path, ec::none,
           fmt::format("by its name a folder of built or other people's files; --include '{}/**' plans it", path));
    return false;
  }

  /// True if a glob of the user's matches something in this folder.
  [[nodiscard]] bool is_named(const std::string& path) const {
    return std::any_of(options_.include.begin(), options_.include.end(),
                       [&](const std::string& pattern) { return pattern == path || pattern.starts_with(path + '/'); });
  }

  void file(std::string path) {
    const auto* lang = known(path);
    if (lang == nullptr || !wanted(path) || options_.generated.contains(path)) return;
    if (git_.usable() && !git_.tracks(path) && git_.ignores(path, false)) return;
    const auto& tests = rules_.committed_tests;
    const bool is_committed_test =
        path.starts_with(tests + '/') && git_.tracks(path) && languages::is_test_path(*lang, path);
    if (path.starts_with(tests.substr(0, tests.find('/') + 1)) && !is_committed_test) return;
    for (const auto& pattern : rules_.generated_files)
      if (languages::glob_match(pattern, languages::name_of(path)))
        return skip(std::move(path), ec::none, "generated or declarations only");
    found_.files.push_back({std::move(path), lang});
  }

  void link(std::string path) {
    if (known(path) == nullptr || !wanted(path)) return;
    struct stat info {};
    if (::stat((project_ / path).c_str(), &info) == 0)
      return skip(std::move(path), ec::none, "a symbolic link; its target counts under its own path");
    const int problem = errno;
    skip(std::move(path), problem == ELOOP ? ec::io : ec::not_found,
         problem == ELOOP ? "a loop of symbolic links" : "a broken symbolic link");
  }

  const fs::path& project_;
  const discovery_options& options_;
  const discovery_rules& rules_;
  const languages::language_set& languages_;
  git_tree git_;
  discovery found_;
};

}  // namespace

expected<discovery_rules> load_discovery_rules(const fs::path& config_dir) {
  const auto file = config_dir / "discovery.json";
  const auto document = config_document::load(file);
  if (!document) return tl::unexpected{document.error()};
  const auto top = document->top();
  discovery_rules rules;
  rules.max_file_bytes = top.number("max_file_bytes", 1, 1U << 30U);
  rules.never_folders = top.texts("never_folders");
  rules.committed_tests = top.text("committed_tests");
  rules.without_git_folders = top.texts("without_git_folders");
  rules.without_git_hidden_folders = top.flag_or("without_git_hidden_folders", false);
  rules.generated_files = top.texts("generated_files");
  if (auto fine = document->finish(); !fine) return tl::unexpected{fine.error()};
  return rules;
}

expected<discovery> discover(const fs::path& project, const discovery_options& options, const discovery_rules& rules,
                             const languages::language_set& languages) {
  return explorer{project, options, rules, languages}.explore();
}

expected<std::string> read_source(const fs::path& project, const std::string& path, const discovery_rules& rules) {
  auto text = read_file(project / path, rules.max_file_bytes);
  if (!text) return text;
  if (text->find('\0') != std::string::npos) return fail(ec::binary_file, "it holds NUL bytes");
  if (!is_utf8(*text)) return fail(ec::not_utf8, "it is not UTF-8 text");
  return text;
}

}  // namespace cohort::planning
