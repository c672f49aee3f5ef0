// Reads the index once into a sorted list, and asks the ignore rules about files that are not in it.

#include "planning/survey/git_tree.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <git2.h>

#include "base/text.hpp"
#include "planning/survey/ignore_guard.hpp"

namespace cohort::planning {

namespace fs = std::filesystem;

namespace {

/// libgit2 counts its initialisations.
struct library {
  library() {
    git_libgit2_init();
    // We read only; a tree that belongs to another user (containers, sudo) is still worth its ignore rules.
    git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
  }
  library(const library&) = delete;
  library& operator=(const library&) = delete;
  ~library() { git_libgit2_shutdown(); }
};

struct repository_deleter {
  void operator()(git_repository* repository) const noexcept { git_repository_free(repository); }
};
struct index_deleter {
  void operator()(git_index* index) const noexcept { git_index_free(index); }
};

std::string last_problem() {
  const auto* problem = git_error_last();
  return problem != nullptr && problem->message != nullptr ? printable(problem->message) : "unknown problem";
}

/// The first file of the repository that is neither a plain file nor a folder; empty if there is none. libgit2 would
/// wait for ever to read a pipe.
std::string odd_file(const fs::path& project) {
  std::error_code ignored;
  const auto is_odd = [&](const fs::path& file) {
    const auto type = fs::status(file, ignored).type();
    return type != fs::file_type::regular && type != fs::file_type::directory && type != fs::file_type::not_found;
  };
  for (auto folder = fs::absolute(project, ignored);; folder = folder.parent_path()) {
    const auto git = folder / ".git";
    if (is_odd(git)) return git.string();
    for (const auto* name : {"HEAD", "config", "index", "commondir", "packed-refs", "info/exclude", "gitdir"})
      if (is_odd(git / name)) return (git / name).string();
    if (fs::exists(git, ignored) || folder == folder.parent_path()) return {};
  }
}

}  // namespace

struct git_tree::state {
  library git;  // The first member, because it must outlive the repository.
  std::unique_ptr<git_repository, repository_deleter> repository;
  fs::path root;
  std::string prefix;  ///< From the root to the project, with '/' at its end; empty if they are the same.
  std::string note;
  std::vector<std::string> tracked;     ///< Below the project, relative to it, sorted.
  std::vector<std::string> submodules;  ///< The same.
  std::unique_ptr<ignore_guard> guard;  ///< If there is a repository.

  void open(const fs::path& project) {
    if (auto odd = odd_file(project); !odd.empty()) {
      note = fmt::format(
          "git's repository is not looked at, because '{}' is no regular file; all files below the folder "
          "are looked at",
          printable(odd, 1000));
      return;
    }
    git_repository* opened = nullptr;
    const auto outcome = git_repository_open_ext(&opened, project.c_str(), 0, nullptr);
    if (outcome == GIT_ENOTFOUND) return;
    if (outcome != 0) {
      note =
          fmt::format("git's repository cannot be read ({}); all files below the folder are looked at", last_problem());
      return;
    }
    repository.reset(opened);
    const char* work_tree = git_repository_workdir(opened);
    if (work_tree == nullptr || !locate(work_tree, project)) return repository.reset();
    guard = std::make_unique<ignore_guard>(root, git_repository_path(opened));
    if (!prefix.empty() && ignored(prefix.substr(0, prefix.size() - 1) + "/")) {
      note = "the folder is ignored by the repository around it; all files below the folder are looked at";
      return repository.reset();
    }
    if (!read_index()) {
      note = fmt::format("git's index cannot be read ({}); all files below the folder are looked at", last_problem());
      repository.reset();
    }
  }

  bool locate(const char* work_tree, const fs::path& project) {
    std::error_code failed;
    root = fs::canonical(work_tree, failed);
    if (failed) return false;
    const auto real = fs::canonical(project, failed);
    if (failed) return false;
    const auto inner = real.lexically_relative(root).generic_string();
    if (inner.empty() || inner.starts_with("..")) return false;
    prefix = inner == "." ? "" : inner + "/";
    return true;
  }

  bool read_index() {
    git_index* opened = nullptr;
    if (git_repository_index(&opened, repository.get()) != 0) return false;
    const std::unique_ptr<git_index, index_deleter> index{opened};
    const auto count = git_index_entrycount(opened);
    for (size_t i = 0; i < count; ++i) {
      const auto* entry = git_index_get_byindex(opened, i);
      const std::string_view path = entry->path;
      if (!path.starts_with(prefix)) continue;
      const bool link = (entry->mode & 0170000U) == GIT_FILEMODE_COMMIT;
      (link ? submodules : tracked).emplace_back(path.substr(prefix.size()));
    }
    std::sort(tracked.begin(), tracked.end());
    std::sort(submodules.begin(), submodules.end());
    return true;
  }

  [[nodiscard]] bool may_ask(std::string_view path) const {
    if (path.ends_with('/')) path.remove_suffix(1);
    return guard->allows(path);
  }

  [[nodiscard]] bool ignored(const std::string& path) const {
    int answer = 0;
    return may_ask(path) && git_ignore_path_is_ignored(&answer, repository.get(), path.c_str()) == 0 && answer == 1;
  }
};

git_tree::git_tree(const fs::path& project) : state_(std::make_unique<state>()) { state_->open(project); }
git_tree::~git_tree() = default;

bool git_tree::usable() const noexcept { return state_->repository != nullptr; }
const std::string& git_tree::note() const noexcept { return state_->note; }
const fs::path& git_tree::root() const noexcept { return state_->root; }

bool git_tree::tracks(std::string_view path) const {
  return std::binary_search(state_->tracked.begin(), state_->tracked.end(), path, std::less<>{});
}

bool git_tree::tracks_below(std::string_view folder) const {
  const auto below = std::string{folder} + "/";
  const auto first = std::lower_bound(state_->tracked.begin(), state_->tracked.end(), below);
  return first != state_->tracked.end() && first->starts_with(below);
}

bool git_tree::is_submodule(std::string_view folder) const {
  return std::binary_search(state_->submodules.begin(), state_->submodules.end(), folder, std::less<>{});
}

bool git_tree::ignores(std::string_view path, bool folder) const {
  const auto asked = state_->prefix + std::string{path} + (folder ? "/" : "");
  return !state_->may_ask(asked) || state_->ignored(asked);
}

const std::map<std::string, std::string>& git_tree::problems() const noexcept {
  static const std::map<std::string, std::string> none;
  return state_->guard ? state_->guard->problems() : none;
}

}  // namespace cohort::planning
