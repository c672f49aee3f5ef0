// Walks names component by component: each folder is opened from the one above it with O_NOFOLLOW.

#include "base/folder.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.hpp"
#include "base/fault_point.hpp"
#include "base/text.hpp"

namespace cohort::inline base {

namespace fs = std::filesystem;

namespace {

constexpr mode_t mode_of_files(access who) noexcept { return who == access::own ? 0600 : 0666; }
constexpr mode_t mode_of_folders(access who) noexcept { return who == access::own ? 0700 : 0777; }

tl::unexpected<error> refuse(const fs::path& path, std::string_view why) {
  return fail(ec::permission_denied,
              fmt::format("refused to use the path '{}': {}", printable(path.native(), 1000), why));
}

tl::unexpected<error> leads_out(const fs::path& relative) {
  return refuse(relative, "it is no plain name below its folder");
}

tl::unexpected<error> is_link(const fs::path& path) {
  return refuse(path, "a symbolic link stands there, and none is followed; replace it by what it leads to");
}

/// O_NOFOLLOW reports a link as ELOOP, or as ENOTDIR if a folder was wanted.
tl::unexpected<error> open_error(int at, const char* name, int why, std::string_view action, const fs::path& path) {
  struct stat info {};
  if ((why == ELOOP || why == ENOTDIR) && ::fstatat(at, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(info.st_mode))
    return is_link(path);
  return tl::unexpected{system_error(why, action, path)};
}

bool write_whole(int fd, std::string_view content) noexcept {
  while (!content.empty()) {
    const auto written = ::write(fd, content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

expected<std::string> read_all(int fd, uint64_t limit, const fs::path& path) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return tl::unexpected{system_error(errno, "inspect", path)};
  if (!S_ISREG(info.st_mode))
    return fail(ec::io, fmt::format("'{}' is not a regular file", printable(path.string(), 1000)));
  if (static_cast<uint64_t>(info.st_size) > limit)
    return fail(ec::file_too_large, fmt::format("'{}' has {} bytes; at most {} are read",
                                                printable(path.string(), 1000), info.st_size, limit));
  std::string content(static_cast<size_t>(info.st_size), '\0');
  size_t have = 0;
  while (have < content.size()) {
    const auto got = ::read(fd, content.data() + have, content.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return tl::unexpected{system_error(errno, "read", path)};
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  content.resize(have);
  return content;
}

expected<void> sync_folder(int fd, const fs::path& path) {
  if (::fsync(fd) != 0) return tl::unexpected{system_error(errno, "sync the directory", path)};
  return {};
}

/// The name of the temporary file follows from the target's name, so that the next write reuses a file that a killed
/// process left.
std::string temporary_name(const std::string& target) {
  return fmt::format(".cohort-{}.tmp", to_hex(sha256(target)).substr(0, 16));
}

/// Writes one file: first a temporary file in the same folder, then a rename or an exchange. Removes the temporary
/// file.
class pending_file {
 public:
  pending_file(int at, std::string name, fs::path shown)
      : at_(at), name_(std::move(name)), temporary_(temporary_name(name_)), shown_(std::move(shown)) {}
  pending_file(const pending_file&) = delete;
  pending_file& operator=(const pending_file&) = delete;
  ~pending_file() {
    if (created_) ::unlinkat(at_, temporary_.c_str(), 0);
  }

  expected<void> write(std::string_view content, durability when, access who) {
    descriptor handle{create(who)};
    if (!handle.valid()) return tl::unexpected{system_error(errno, "create", shown_)};
    created_ = true;
    COHORT_FAULT_POINT("file.created");
    // The umask may take away more, never give more.
    if (!write_whole(handle.get(), content)) return tl::unexpected{system_error(errno, "write", shown_)};
    if (when == durability::now && ::fsync(handle.get()) != 0)
      return tl::unexpected{system_error(errno, "sync", shown_)};
    if (!handle.close()) return tl::unexpected{system_error(errno, "close", shown_)};
    COHORT_FAULT_POINT("file.written");
    return {};
  }

  expected<void> replace() {
    if (::renameat(at_, temporary_.c_str(), at_, name_.c_str()) != 0)
      return tl::unexpected{system_error(errno, "rename to", shown_)};
    created_ = false;
    return {};
  }

  /// Exchanges the two names and checks the old file once more, so that an edit of the same moment is put back.
  expected<bool> replace_if(const std::function<bool(const std::string&)>& is_expected) {
    if (trade(RENAME_NOREPLACE)) return placed();
    if (errno == EEXIST) {
      if (!holds(name_, is_expected)) return false;
      if (trade(RENAME_EXCHANGE)) {
        if (holds(temporary_, is_expected)) return true;
        if (trade(RENAME_EXCHANGE)) return false;
        if (trade(RENAME_NOREPLACE)) {  // Ours was deleted meanwhile.
          created_ = false;
          return false;
        }
        created_ = false;  // The user's own file has that name.
        return tl::unexpected{system_error(errno, fmt::format("put '{}' back to", temporary_), shown_)};
      }
      if (errno == ENOENT && trade(RENAME_NOREPLACE)) return placed();  // It was deleted just now.
    }
    if (errno == EINVAL || errno == ENOSYS) {  // Not every file system can exchange names.
      struct stat info {};
      const bool there = ::fstatat(at_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
      if (there && !holds(name_, is_expected)) return false;
      if (::renameat(at_, temporary_.c_str(), at_, name_.c_str()) == 0) return placed();
    }
    return tl::unexpected{system_error(errno, "rename to", shown_)};
  }

 private:
  /// A temporary file that a crash left is reused.
  int create(access who) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    const int fd = ::openat(at_, temporary_.c_str(), flags, mode_of_files(who));
    if (fd >= 0 || errno != EEXIST) return fd;
    ::unlinkat(at_, temporary_.c_str(), 0);
    return ::openat(at_, temporary_.c_str(), flags, mode_of_files(who));
  }
  bool trade(unsigned how) noexcept { return ::renameat2(at_, temporary_.c_str(), at_, name_.c_str(), how) == 0; }
  bool placed() noexcept {
    created_ = false;
    return true;
  }
  bool holds(const std::string& name, const std::function<bool(const std::string&)>& is_expected) const {
    const descriptor handle{::openat(at_, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)};
    if (!handle.valid()) return false;
    const auto present = read_all(handle.get(), 1ULL << 32, shown_);
    return present && is_expected(*present);
  }

  int at_;
  std::string name_;
  std::string temporary_;
  fs::path shown_;
  bool created_ = false;
};

}  // namespace

descriptor& descriptor::operator=(descriptor&& other) noexcept {
  if (this != &other) {
    (void)close();
    fd_ = other.release();
  }
  return *this;
}

int descriptor::release() noexcept { return std::exchange(fd_, -1); }

bool descriptor::close() noexcept {
  const int fd = release();
  return fd < 0 || ::close(fd) == 0;
}

bool stays_below(const fs::path& relative) noexcept {
  const std::string_view text = relative.native();
  if (text.empty() || text.front() == '/' || text.find('\0') != std::string_view::npos) return false;
  for (size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find('/', start), text.size());
    const auto part = text.substr(start, end - start);
    if (part.empty() || part == "." || part == "..") return false;
    start = end + 1;
  }
  return true;
}

fs::path path_below(const fs::path& root, const fs::path& path) {
  auto relative = path.lexically_relative(root);
  return stays_below(relative) ? relative : fs::path{};
}

expected<folder> folder::open(const fs::path& path) {
  descriptor fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd.valid()) return tl::unexpected{system_error(errno, "open the folder", path)};
  return folder{std::move(fd), path};
}

expected<folder> folder::make(const fs::path& path, access who) {
  if (auto there = open(path); there || there.error().code != ec::not_found) return there;
  const auto above = path.has_filename() ? path.parent_path() : path.parent_path().parent_path();
  if (!above.empty() && above != path)
    if (auto made = make(above, who); !made) return made;
  const auto name = path.has_filename() ? path : path.parent_path();
  if (::mkdir(name.c_str(), mode_of_folders(who)) != 0 && errno != EEXIST)
    return tl::unexpected{system_error(errno, "create the directory", path)};
  return open(path);
}

expected<folder::reached> folder::descend(const fs::path& relative, bool create, access who) const {
  descriptor held;
  int at = fd_.get();
  auto shown = path_;
  for (const auto& part : relative) {
    shown /= part;
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    descriptor next{::openat(at, part.c_str(), flags)};
    if (!next.valid() && errno == ENOENT && create) {
      if (::mkdirat(at, part.c_str(), mode_of_folders(who)) != 0 && errno != EEXIST)
        return tl::unexpected{system_error(errno, "create the directory", shown)};
      next = descriptor{::openat(at, part.c_str(), flags)};
    }
    if (!next.valid()) return open_error(at, part.c_str(), errno, "open the folder", shown);
    held = std::move(next);
    at = held.get();
  }
  return reached{std::move(held), at, std::move(shown)};
}

expected<folder::reached> folder::above(const fs::path& relative, bool create, access who) const {
  return descend(relative.parent_path(), create, who);
}

/// The folder that `descend` has reached. Its path has at least one component, so `held` owns its descriptor.
expected<folder> folder::as_folder(expected<reached> found) {
  if (!found) return tl::unexpected{found.error()};
  return folder{std::move(found->held), std::move(found->path)};
}

expected<folder> folder::sub(const fs::path& relative) const {
  if (!stays_below(relative)) return leads_out(relative);
  return as_folder(descend(relative, false, access::usual));
}

expected<folder> folder::make_sub(const fs::path& relative, access who) const {
  if (!stays_below(relative)) return leads_out(relative);
  return as_folder(descend(relative, true, who));
}

expected<descriptor> folder::open_file(const fs::path& relative, int flags, access who) const {
  if (!stays_below(relative)) return leads_out(relative);
  const auto parent = above(relative, (flags & O_CREAT) != 0, who);
  if (!parent) return tl::unexpected{parent.error()};
  const auto name = relative.filename();
  descriptor file{::openat(parent->fd, name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode_of_files(who))};
  if (!file.valid()) return open_error(parent->fd, name.c_str(), errno, "open", path_ / relative);
  return file;
}

expected<std::string> folder::read(const fs::path& relative, uint64_t limit) const {
  const auto file = open_file(relative, O_RDONLY);
  if (!file) return tl::unexpected{file.error()};
  return read_all(file->get(), limit, path_ / relative);
}

expected<void> folder::replace(const fs::path& relative, std::string_view content, durability when, access who) const {
  if (!stays_below(relative)) return leads_out(relative);
  const auto parent = above(relative, true, who);
  if (!parent) return tl::unexpected{parent.error()};
  pending_file file{parent->fd, relative.filename().native(), path_ / relative};
  if (auto written = file.write(content, when, who); !written) return written;
  if (auto done = file.replace(); !done) return done;
  COHORT_FAULT_POINT("file.renamed");
  return when == durability::now ? sync_folder(parent->fd, parent->path) : expected<void>{};
}

expected<bool> folder::replace_if(const fs::path& relative, std::string_view content, durability when, access who,
                                  const std::function<bool(const std::string&)>& is_expected) const {
  if (!stays_below(relative)) return leads_out(relative);
  const auto parent = above(relative, true, who);
  if (!parent) return tl::unexpected{parent.error()};
  pending_file file{parent->fd, relative.filename().native(), path_ / relative};
  if (auto written = file.write(content, when, who); !written) return tl::unexpected{written.error()};
  if (auto done = file.replace_if(is_expected); !done || !*done) return done;
  COHORT_FAULT_POINT("file.renamed");
  if (when == durability::now)
    if (auto synced = sync_folder(parent->fd, parent->path); !synced) return tl::unexpected{synced.error()};
  return true;
}

expected<void> folder::remove(const fs::path& relative) const {
  if (!stays_below(relative)) return leads_out(relative);
  const auto parent = above(relative, false, access::usual);
  if (!parent) return parent.error().code == ec::not_found ? expected<void>{} : tl::unexpected{parent.error()};
  if (::unlinkat(parent->fd, relative.filename().c_str(), 0) != 0 && errno != ENOENT)
    return tl::unexpected{system_error(errno, "remove", path_ / relative)};
  return {};
}

expected<void> folder::move(const fs::path& from, const fs::path& to) const {
  if (!stays_below(from)) return leads_out(from);
  if (!stays_below(to)) return leads_out(to);
  const auto source = above(from, false, access::usual);
  if (!source) return tl::unexpected{source.error()};
  const auto target = above(to, true, access::own);
  if (!target) return tl::unexpected{target.error()};
  const auto old_name = from.filename();
  const auto new_name = to.filename();
  if (::renameat2(source->fd, old_name.c_str(), target->fd, new_name.c_str(), RENAME_NOREPLACE) == 0) return {};
  struct stat info {};
  const bool cannot_refuse = errno == EINVAL || errno == ENOSYS;
  if (cannot_refuse && ::fstatat(target->fd, new_name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 &&
      ::renameat(source->fd, old_name.c_str(), target->fd, new_name.c_str()) == 0)
    return {};
  return tl::unexpected{system_error(errno, fmt::format("move to '{}'", printable(to.native(), 1000)), path_ / from)};
}

file_kind folder::kind_of(const fs::path& relative) const {
  if (!stays_below(relative)) return file_kind::missing;
  const auto parent = above(relative, false, access::usual);
  struct stat info {};
  if (!parent || ::fstatat(parent->fd, relative.filename().c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
    return file_kind::missing;
  if (S_ISREG(info.st_mode)) return file_kind::regular;
  if (S_ISDIR(info.st_mode)) return file_kind::directory;
  return S_ISLNK(info.st_mode) ? file_kind::link : file_kind::other;
}

std::vector<std::string> folder::names(size_t limit) const {
  std::vector<std::string> found;
  const int fd = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return found;
  const std::unique_ptr<DIR, int (*)(DIR*)> entries{::fdopendir(fd), &::closedir};
  if (!entries) {
    ::close(fd);
    return found;
  }
  while (found.size() < limit) {
    const auto* entry = ::readdir(entries.get());
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") found.emplace_back(name);
  }
  std::sort(found.begin(), found.end());
  return found;
}

expected<void> folder::sync() const { return sync_folder(fd_.get(), path_); }

}  // namespace cohort::inline base
