// Where state lies, and how it is put aside. Nothing here deletes what was paid for.

#include "state/workspace.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view ignore_rules =
    "# Written by cohort: its state stays out of git, the generated tests do not.\n"
    "/ledger.db*\n/batch-state.json\n/lock\n/nodes.json\n/ballast\n/logs/\n/cache/\n/archive/\n/unusable/\n/"
    ".gitignore\n";

constexpr const char* state_name = ".claude-testing";

/// Entries that are not ours to follow: a project may come with a `.claude-testing` of its own.
constexpr const char* entries[] = {"ledger.db",
                                   "ledger.db-wal",
                                   "ledger.db-shm",
                                   "ledger.db.new",
                                   "ledger.db.new-wal",
                                   "ledger.db.new-shm",
                                   "batch-state.json",
                                   "lock",
                                   "nodes.json",
                                   "ballast",
                                   "logs",
                                   "logs/cohort.log",
                                   "cache",
                                   "cache/survey.bin",
                                   "cache/reading",
                                   "archive",
                                   "unusable",
                                   "tests",
                                   ".gitignore"};

/// SQLite would play it back, and delete a file that it names. A ledger in WAL mode never has one.
constexpr const char* rollback_journal = "ledger.db-journal";

expected<void> refuse_odd_files(const folder& state) {
  const auto shown = [&state](const char* entry) { return printable((state.path() / entry).native(), 1000); };
  if (state.kind_of(rollback_journal) != file_kind::missing)
    return fail(ec::state_untrusted,
                fmt::format("'{}' is no file of this program's, which never makes one of that name: it may have come "
                            "with the project. Nothing was changed. Remove it",
                            shown(rollback_journal)));
  for (const auto* entry : entries) {
    const auto kind = state.kind_of(entry);
    if (kind == file_kind::other)
      return fail(ec::state_untrusted,
                  fmt::format("'{}' is a pipe, a socket or a device: it may have come with the project. Nothing was "
                              "changed. Remove it",
                              shown(entry)));
    if (kind == file_kind::link)
      return fail(
          ec::state_untrusted,
          fmt::format("'{}' is a symbolic link, and none is followed there; remove it, or replace it by what it "
                      "leads to. Tests can be written elsewhere with --tests-dir",
                      printable((state.path() / entry).native(), 1000)));
  }
  return {};
}

expected<folder> project_folder(const workspace& workspace) { return folder::open(workspace.project); }

/// Opens or creates `.claude-testing`, which must be a folder with no links in the places of ours.
expected<folder> state_folder(const workspace& workspace, bool create) {
  const auto project = project_folder(workspace);
  if (!project) return tl::unexpected{project.error()};
  const auto kind = project->kind_of(state_name);
  if (kind == file_kind::regular || kind == file_kind::other)
    return fail(ec::permission_denied,
                fmt::format("'{}' is not a folder; move it away", printable(workspace.root().native(), 1000)));
  if (kind == file_kind::link)
    return fail(ec::state_untrusted,
                fmt::format("'{}' is a symbolic link, and none is followed there; replace it by a folder",
                            printable(workspace.root().native(), 1000)));
  auto state = create ? project->make_sub(state_name) : project->sub(state_name);
  if (!state) return state;
  if (auto safe = refuse_odd_files(*state); !safe) return tl::unexpected{safe.error()};
  if (struct stat info{}; create && ::fstat(state->fd(), &info) == 0 && (info.st_mode & 0022) != 0)
    (void)::fchmod(state->fd(), info.st_mode & 0755);  // Others could take away what lies in it.
  return state;
}

/// A new folder named after the time, with a number behind it if that second has one already. Relative to `state`.
expected<fs::path> new_archive(const folder& state) {
  const auto parent = state.make_sub("archive", access::own);
  if (!parent) return tl::unexpected{parent.error()};
  auto name = to_iso8601(wall_now());
  for (auto& c : name)
    if (c == ':' || c == '.') c = '-';
  for (int i = 1; i < 1000; ++i) {
    const auto numbered = i == 1 ? name : fmt::format("{}-{}", name, i);
    if (::mkdirat(parent->fd(), numbered.c_str(), 0700) == 0) return fs::path{"archive"} / numbered;
    if (errno != EEXIST) return tl::unexpected{system_error(errno, "create the archive", parent->path() / numbered)};
  }
  return fail(ec::io, fmt::format("cannot find a free name for an archive in '{}'", parent->path().string()));
}

expected<fs::path> move_to_archive(const workspace& workspace, std::initializer_list<const char*> movable) {
  const auto state = state_folder(workspace, true);
  if (!state) return tl::unexpected{state.error()};
  auto target = new_archive(*state);
  if (!target) return target;
  for (const auto* name : movable) {
    if (state->kind_of(name) == file_kind::missing) continue;
    if (auto moved = state->move(name, *target / name); !moved) return tl::unexpected{moved.error()};
  }
  return workspace.root() / *target;
}

}  // namespace

expected<workspace> open_workspace(const fs::path& project) {
  if (project.empty()) return fail(ec::usage, "the project's name is empty; name its directory, '.' for this one");
  std::error_code failed;
  const auto real = fs::canonical(project, failed);
  if (failed) {
    auto problem = system_error(failed.value(), "open the project", project);
    return tl::unexpected{std::move(problem)};
  }
  if (!fs::is_directory(real, failed))
    return fail(ec::not_found, fmt::format("the project '{}' is not a directory", printable(project.string(), 1000)));
  if (::access(real.c_str(), R_OK | X_OK) != 0) return tl::unexpected{system_error(errno, "read the project", real)};
  const workspace workspace{real};
  if (const auto state = state_folder(workspace, false); !state && state.error().code != ec::not_found)
    return tl::unexpected{state.error()};
  return workspace;
}

expected<folder> open_state(const workspace& workspace) {
  const auto project = project_folder(workspace);
  if (!project) return tl::unexpected{project.error()};
  return project->sub(state_name);
}

expected<void> prepare(const workspace& workspace) {
  const auto state = state_folder(workspace, true);
  if (!state) return tl::unexpected{state.error()};
  if (const auto logs = state->make_sub("logs", access::own); !logs) return tl::unexpected{logs.error()};
  for (const auto* name : {"logs", "cache", "archive", "unusable"})
    if (const auto part = state->sub(name)) (void)::fchmod(part->fd(), 0700);  // Earlier versions left them open.
  if (state->kind_of(".gitignore") != file_kind::missing) return {};
  return state->replace(".gitignore", ignore_rules, durability::later);
}

expected<fs::path> result_path(const workspace& workspace, const fs::path& output, std::string_view relative) {
  const auto inward = output.lexically_relative(workspace.project);
  if (!inward.empty() && *inward.begin() != "..")
    if (auto inside = join_inside(workspace.project, (inward / relative).native()); !inside) return inside;
  return join_inside(output, relative);
}

expected<fs::path> known_path(const workspace& workspace, const fs::path& output, const fs::path& file) {
  for (const auto& root : {output, workspace.project}) {
    const auto relative = file.lexically_relative(root);
    if (!relative.empty() && *relative.begin() != "..") return result_path(workspace, root, relative.native());
  }
  return fail(ec::permission_denied, "it lies outside the project and outside the folder of its run");
}

bool may_hold_tests(const fs::path& output) {
  bool in_state = false;
  for (const auto& part : output) {
    auto name = part.native();
    for (auto& c : name) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    if (name == ".git" || name == ".github") return false;
    if (in_state) return name == "tests";
    in_state = name == state_name;
  }
  return !in_state;
}

/// The ledger goes before its WAL: a ledger without the WAL would open and have forgotten answers, while a WAL alone
/// is refused as damaged, and archiving again puts it away as well.
expected<fs::path> archive_state(const workspace& workspace) {
  return move_to_archive(workspace,
                         {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.new", "batch-state.json", "cache"});
}

expected<fs::path> archive_ledger(const workspace& workspace) {
  return move_to_archive(workspace, {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.new"});
}

expected<folder> make_archive(const workspace& workspace) {
  const auto state = state_folder(workspace, true);
  if (!state) return tl::unexpected{state.error()};
  const auto name = new_archive(*state);
  if (!name) return tl::unexpected{name.error()};
  return state->sub(*name);
}

std::vector<fs::path> archived_ledgers(const workspace& workspace) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (auto entry = fs::directory_iterator{workspace.root() / "archive", failed};
       !failed && entry != fs::directory_iterator{}; entry.increment(failed)) {
    auto file = entry->path() / workspace.ledger_file().filename();
    if (std::error_code ignored; fs::exists(file, ignored)) found.push_back(std::move(file));
  }
  std::sort(found.begin(), found.end());
  return found;
}

expected<fs::path> archive_batch_state(const workspace& workspace) {
  return move_to_archive(workspace, {"batch-state.json"});
}

expected<void> reserve_ballast(const workspace& workspace, uint64_t bytes) {
  const auto state = open_state(workspace);
  if (!state) return tl::unexpected{state.error()};
  const auto file = state->open_file("ballast", O_WRONLY | O_CREAT);
  if (!file) return tl::unexpected{file.error()};
  const auto size = static_cast<off_t>(bytes);
  // posix_fallocate returns the error; blocks are really taken, a sparse file would keep nothing.
  int why = ::ftruncate(file->get(), size) == 0 ? 0 : errno;
  if (why == 0 && bytes > 0) why = ::posix_fallocate(file->get(), 0, size);
  if (why == 0) return {};
  (void)state->remove("ballast");
  return tl::unexpected{system_error(why, "keep disk space in reserve in", workspace.ballast_file())};
}

void release_ballast(const workspace& workspace) noexcept {
  if (const auto state = open_state(workspace)) (void)state->remove("ballast");
}

}  // namespace cohort::state
