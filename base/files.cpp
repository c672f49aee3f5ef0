// Reads and writes files with POSIX calls and checks every result.

#include "base/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/folder.hpp"
#include "base/text.hpp"

namespace cohort::inline base {

namespace fs = std::filesystem;

namespace {

/// True if the kernel itself says that `folder` exists below `root`, whatever links are on the way. False may also
/// mean that it cannot tell: the folder is not there yet, a link is absolute, an old kernel.
bool surely_inside(const fs::path& root, const fs::path& folder) {
  const descriptor base{::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!base.valid()) return false;
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH;
  const auto* name = folder.empty() ? "." : folder.c_str();
  const descriptor found{static_cast<int>(::syscall(SYS_openat2, base.get(), name, &how, sizeof how))};
  return found.valid();
}

/// Writes a file without a name, which leaves no trace even if this process is killed; if the file system has no such
/// files, a file with a name that is removed at once. Returns 0 or an error number.
int try_to_write(const fs::path& folder) {
  descriptor file{::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600)};
  if (file.valid()) return ::write(file.get(), "x", 1) == 1 ? 0 : errno;
  if (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL) return errno;
  auto name = (folder / ".cohort-try-XXXXXX").native();
  const descriptor named{::mkostemp(name.data(), O_CLOEXEC)};
  if (!named.valid()) return errno;
  ::unlink(name.c_str());
  return ::write(named.get(), "x", 1) == 1 ? 0 : errno;
}

}  // namespace

error system_error(int error_number, std::string_view action, const fs::path& path) {
  auto code = ec::io;
  std::string_view cure;
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      code = ec::disk_full;
      cure = "; free some space and run the same command again";
      break;
    case EACCES:
    case EPERM:
    case EROFS:
      code = ec::permission_denied;
      cure = "; check the permissions";
      break;
    case ENOENT:
    case ENOTDIR: code = ec::not_found; break;
    default: break;
  }
  return {code, fmt::format("cannot {} '{}': {}{}", action, printable(path.string(), 1000),
                            std::generic_category().message(error_number), cure)};
}

expected<std::string> read_file(const fs::path& path, uint64_t limit) {
  const descriptor handle{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (!handle.valid()) return tl::unexpected{system_error(errno, "open", path)};
  struct stat info {};
  if (::fstat(handle.get(), &info) != 0) return tl::unexpected{system_error(errno, "inspect", path)};
  if (!S_ISREG(info.st_mode))
    return fail(ec::io, fmt::format("'{}' is not a regular file", printable(path.string(), 1000)));
  if (static_cast<uint64_t>(info.st_size) > limit)
    return fail(ec::file_too_large, fmt::format("'{}' has {} bytes; at most {} are read",
                                                printable(path.string(), 1000), info.st_size, limit));
  std::string content;
  content.resize(static_cast<size_t>(info.st_size));
  size_t have = 0;
  while (have < content.size()) {
    const auto got = ::read(handle.get(), content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected{system_error(errno, "read", path)};
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  content.resize(have);
  return content;
}

expected<void> make_directories(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(path, failed);
  if (failed) return tl::unexpected{system_error(failed.value(), "create the directory", path)};
  return {};
}

namespace {

/// The folder that holds `path`, created if it is missing.
expected<folder> folder_of(const fs::path& path) {
  return folder::make(path.parent_path().empty() ? fs::path{"."} : path.parent_path());
}

}  // namespace

expected<void> replace_file(const fs::path& path, std::string_view content, durability when) {
  const auto parent = folder_of(path);
  if (!parent) return tl::unexpected{parent.error()};
  return parent->replace(path.filename(), content, when);
}

expected<bool> replace_file_if(const fs::path& path, std::string_view content, durability when,
                               const std::function<bool(const std::string&)>& is_expected) {
  const auto parent = folder_of(path);
  if (!parent) return tl::unexpected{parent.error()};
  return parent->replace_if(path.filename(), content, when, access::usual, is_expected);
}

expected<void> sync_file(const fs::path& path) {
  const descriptor handle{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!handle.valid()) return tl::unexpected{system_error(errno, "open", path)};
  if (::fsync(handle.get()) != 0) return tl::unexpected{system_error(errno, "sync", path)};
  const auto parent = folder::open(path.parent_path());
  if (!parent) return tl::unexpected{parent.error()};
  return parent->sync();
}

expected<void> sync_file_system(const fs::path& directory) {
  const descriptor handle{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!handle.valid()) return tl::unexpected{system_error(errno, "open", directory)};
  if (::syncfs(handle.get()) != 0) return tl::unexpected{system_error(errno, "sync the file system of", directory)};
  return {};
}

expected<fs::path> join_inside(const fs::path& root, std::string_view relative) {
  const auto refuse = [relative](std::string_view why) {
    return fail(ec::permission_denied, fmt::format("refused to use the path '{}': {}", printable(relative, 1000), why));
  };
  if (relative.empty()) return refuse("it is empty");
  if (relative.find('\0') != std::string_view::npos) return refuse("it holds a NUL byte");
  const fs::path wanted{relative};
  if (wanted.is_absolute()) return refuse("it is absolute");
  for (const auto& part : wanted)
    if (part == "..") return refuse("it leads out of its directory");
  if (surely_inside(root, wanted.parent_path())) return root / wanted;
  std::error_code failed;
  const auto real_root = fs::weakly_canonical(root, failed);
  if (failed) return tl::unexpected{system_error(failed.value(), "resolve", root)};
  const auto real_parent = fs::weakly_canonical((root / wanted).parent_path(), failed);
  if (failed) return tl::unexpected{system_error(failed.value(), "resolve", root / wanted)};
  const auto outward = real_parent.lexically_relative(real_root);
  if (outward.empty() || *outward.begin() == "..") return refuse("a symbolic link leads out of its directory");
  return root / wanted;
}

fs::path nearest_existing(fs::path folder) {
  std::error_code ignored;
  while (!fs::exists(folder, ignored) && folder.has_parent_path() && folder != folder.parent_path())
    folder = folder.parent_path();
  return folder;
}

expected<void> check_writable(const fs::path& folder) {
  const auto path = nearest_existing(folder);
  std::error_code ignored;
  if (!fs::is_directory(path, ignored))
    return fail(ec::not_found, "'" + printable(path.string(), 1000) + "' is not a directory");
  if (const int why = try_to_write(path); why != 0) return tl::unexpected{system_error(why, "write into", path)};
  return {};
}

expected<uint64_t> free_space(const fs::path& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0)
    return tl::unexpected{system_error(errno, "inspect the file system of", path)};
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

fs::path config_directory() {
  if (const char* chosen = std::getenv("COHORT_CONFIG_DIR"); chosen != nullptr && *chosen != '\0') return chosen;
  return COHORT_CONFIG_DIR;
}

}  // namespace cohort::inline base
