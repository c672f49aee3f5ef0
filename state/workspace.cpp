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
#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view ignore_rules =
    "# Written by cohort: its state stays out of git, the generated tests do not.\n"
    "/ledger.db*\n/batch-state.json\n/lock\n/nodes.json\n/ballast\n/logs/\n/cache/\n/archive/\n/unusable/\n/"
    ".gitignore\n";

/// What lies at `path` may be a link to something inside the project, never a way out of it.
expected<void> refuse_way_out(const workspace& place, const fs::path& path) {
  std::error_code failed;
  const auto real = fs::canonical(path, failed);
  const auto inward = failed ? fs::path{} : real.lexically_relative(place.project);
  if (!inward.empty() && inward != "." && *inward.begin() != "..") return {};
  return fail(
      ec::permission_denied,
      fmt::format("'{}' is a symbolic link that leads out of the project or nowhere; remove it, or replace it by "
                  "a folder. Tests can be written elsewhere with --tests-dir",
                  printable(path.string(), 1000)));
}

/// A project may come with a `.claude-testing` of its own: what is written there must not end up anywhere else.
expected<void> refuse_leading_out(const workspace& place) {
  std::error_code failed;
  const auto ledger = place.ledger_file().native();
  for (const auto& path : {place.root(), place.default_output(), place.log_file().parent_path(), place.log_file(),
                           place.cache_file().parent_path(), place.root() / "archive", place.unusable_folder(),
                           fs::path{ledger}, fs::path{ledger + "-wal"}, fs::path{ledger + "-shm"}})
    if (fs::is_symlink(fs::symlink_status(path, failed)))
      if (auto inside = refuse_way_out(place, path); !inside) return inside;
  const auto root = fs::status(place.root(), failed);
  if (fs::exists(root) && !fs::is_directory(root))
    return fail(ec::permission_denied,
                fmt::format("'{}' is not a folder; move it away", printable(place.root().string(), 1000)));
  return {};
}

/// A new folder named after the time, with a number behind it if that second has one already.
expected<fs::path> new_archive(const fs::path& parent) {
  if (auto made = make_directories(parent); !made) return tl::unexpected{made.error()};
  auto name = to_iso8601(wall_now());
  for (auto& c : name)
    if (c == ':' || c == '.') c = '-';
  for (int i = 1; i < 1000; ++i) {
    const auto folder = parent / (i == 1 ? name : fmt::format("{}-{}", name, i));
    if (::mkdir(folder.c_str(), 0755) == 0) return folder;
    if (errno != EEXIST) return tl::unexpected{system_error(errno, "create the archive", folder)};
  }
  return fail(ec::io, fmt::format("cannot find a free name for an archive in '{}'", parent.string()));
}

expected<fs::path> move_to_archive(const workspace& place, const std::vector<fs::path>& movable) {
  if (auto safe = refuse_leading_out(place); !safe) return tl::unexpected{safe.error()};
  auto folder = new_archive(place.root() / "archive");
  if (!folder) return folder;
  for (const auto& from : movable) {
    std::error_code failed;
    if (!fs::exists(fs::symlink_status(from, failed))) continue;
    const auto to = *folder / from.filename();
    if (::rename(from.c_str(), to.c_str()) != 0) return tl::unexpected{system_error(errno, "archive", from)};
  }
  return folder;
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
  const workspace place{real};
  if (auto safe = refuse_leading_out(place); !safe) return tl::unexpected{safe.error()};
  return place;
}

expected<void> prepare(const workspace& place) {
  if (auto safe = refuse_leading_out(place); !safe) return safe;
  if (auto made = make_directories(place.root()); !made) return made;
  const auto ignore = place.root() / ".gitignore";
  std::error_code failed;
  if (fs::exists(fs::symlink_status(ignore, failed))) return {};
  return replace_file(ignore, ignore_rules, durability::later);
}

expected<fs::path> result_path(const workspace& place, const fs::path& output, std::string_view relative) {
  const auto inward = output.lexically_relative(place.project);
  if (!inward.empty() && *inward.begin() != "..")
    if (auto inside = join_inside(place.project, (inward / relative).native()); !inside) return inside;
  return join_inside(output, relative);
}

expected<fs::path> known_path(const workspace& place, const fs::path& output, const fs::path& file) {
  for (const auto& root : {output, place.project}) {
    const auto relative = file.lexically_relative(root);
    if (!relative.empty() && *relative.begin() != "..") return result_path(place, root, relative.native());
  }
  return fail(ec::permission_denied, "it lies outside the project and outside the folder of its run");
}

/// The ledger goes before its WAL: a ledger without the WAL would open and have forgotten answers, while a WAL alone
/// is refused as damaged, and archiving again puts it away as well.
expected<fs::path> archive_state(const workspace& place) {
  const auto ledger = place.ledger_file();
  return move_to_archive(place, {ledger, ledger.native() + "-wal", ledger.native() + "-shm", ledger.native() + ".new",
                                 place.view_file(), place.cache_file().parent_path()});
}

std::vector<fs::path> archived_ledgers(const workspace& place) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (auto entry = fs::directory_iterator{place.root() / "archive", failed};
       !failed && entry != fs::directory_iterator{}; entry.increment(failed)) {
    auto file = entry->path() / place.ledger_file().filename();
    if (std::error_code ignored; fs::exists(file, ignored)) found.push_back(std::move(file));
  }
  std::sort(found.begin(), found.end());
  return found;
}

expected<fs::path> archive_view(const workspace& place) { return move_to_archive(place, {place.view_file()}); }

expected<void> reserve_ballast(const workspace& place, uint64_t bytes) {
  const auto file = place.ballast_file();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd < 0) return tl::unexpected{system_error(errno, "create", file)};
  const auto size = static_cast<off_t>(bytes);
  // posix_fallocate returns the error; blocks are really taken, a sparse file would keep nothing.
  int why = ::ftruncate(fd, size) == 0 ? 0 : errno;
  if (why == 0 && bytes > 0) why = ::posix_fallocate(fd, 0, size);
  ::close(fd);
  if (why == 0) return {};
  ::unlink(file.c_str());
  return tl::unexpected{system_error(why, "keep disk space in reserve in", file)};
}

void release_ballast(const workspace& place) noexcept { ::unlink(place.ballast_file().c_str()); }

}  // namespace cohort
