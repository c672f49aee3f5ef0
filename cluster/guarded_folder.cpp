// Checks owner, modes, and the folders above, as ssh checks its keys.

#include "cluster/guarded_folder.hpp"

#include <cerrno>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"
#include "base/text.hpp"

namespace cohort::cluster {

namespace fs = std::filesystem;

namespace {

std::string shown(const fs::path& path) { return printable(path.native(), 1000); }

bool is_ours(const struct stat& info) noexcept { return info.st_uid == ::geteuid() || info.st_uid == 0; }

tl::unexpected<error> belongs_to_another(const fs::path& path) {
  return fail(
      ec::permission_denied,
      fmt::format("'{}' belongs to another user, who could replace the cluster's certificates; run: chown {} {}",
                  shown(path), static_cast<unsigned>(::geteuid()), shown(path)));
}

/// Whoever may write in a folder may replace what is in it, unless it has the sticky bit, which reserves that for an
/// entry's owner.
expected<void> check_above(fs::path path) {
  for (; path.has_relative_path();) {
    path = path.parent_path();
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return tl::unexpected{system_error(errno, "look at", path)};
    if ((info.st_mode & S_IWOTH) != 0 && (info.st_mode & S_ISVTX) == 0)
      return fail(ec::permission_denied,
                  fmt::format("anybody may write in the folder '{}' and so replace the cluster below it; run: chmod "
                              "o-w {}",
                              shown(path), shown(path)));
  }
  return {};
}

}  // namespace

expected<void> check_guarded(const fs::path& folder) {
  std::error_code failed;
  const auto path = fs::weakly_canonical(fs::absolute(folder), failed);
  if (failed) return tl::unexpected{system_error(failed.value(), "look at", folder)};
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0) {
    if (!is_ours(info)) return belongs_to_another(path);
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
      return fail(ec::permission_denied,
                  fmt::format("others may write in the folder '{}' and so replace the cluster's certificates; run: "
                              "chmod go-w {}",
                              shown(path), shown(path)));
    return check_above(path);
  }
  return check_above(nearest_existing(path) / "new");
}

expected<void> check_guarded_file(const fs::path& file, bool secret) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    if (errno == ENOENT) return {};
    return tl::unexpected{system_error(errno, "look at", file)};
  }
  if (!S_ISREG(info.st_mode)) return fail(ec::permission_denied, fmt::format("'{}' is no regular file", shown(file)));
  if (!is_ours(info)) return belongs_to_another(file);
  if (secret && (info.st_mode & 077) != 0)
    return fail(ec::permission_denied,
                fmt::format("the key '{}' can be read by others; run: chmod 600 {}", shown(file), shown(file)));
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(ec::permission_denied,
                fmt::format("others may write the file '{}'; run: chmod go-w {}", shown(file), shown(file)));
  return {};
}

}  // namespace cohort::cluster
