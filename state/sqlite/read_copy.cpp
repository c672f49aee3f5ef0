#include "state/sqlite/read_copy.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <string>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"
#include "state/sqlite/file_check.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

/// Tells whether a file was changed between two looks.
struct file_signature {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t seconds = 0;
  int64_t nanoseconds = 0;
  friend bool operator==(const file_signature&, const file_signature&) = default;
};

file_signature signature_of(const fs::path& file) noexcept {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return {};
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino), info.st_size, info.st_mtim.tv_sec,
          info.st_mtim.tv_nsec};
}

error cannot_copy(int error_number, const fs::path& file) {
  return system_error(error_number, "make a copy, to read it, of the ledger of an interrupted run", file);
}

/// -1 with `errno` if that is not possible.
int nameless_file(const fs::path& folder) noexcept {
  const int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0) return fd;
  auto pattern = (folder / "cohort-ledger-XXXXXX").native();  // This file system wants a name at first.
  const int named = ::mkostemp(pattern.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(pattern.c_str());
  return named;
}

/// All of `from` becomes all of `to`; false with `errno`.
bool fill(int to, int from) noexcept {
  if (::ftruncate(to, 0) != 0 || ::lseek(to, 0, SEEK_SET) != 0 || ::lseek(from, 0, SEEK_SET) != 0) return false;
  ssize_t moved = 1;
  while (moved > 0 || (moved < 0 && errno == EINTR)) moved = ::sendfile(to, from, nullptr, size_t{1} << 30);
  return moved == 0;
}

/// A WAL that is missing is an empty one.
expected<void> fill_from(int to, const fs::path& from, bool may_be_missing) {
  const int fd = ::open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT && may_be_missing) return {};
  if (fd < 0) return tl::unexpected{cannot_copy(errno, from)};
  const bool filled = fill(to, fd);
  const int why = errno;
  ::close(fd);
  if (!filled) return tl::unexpected{cannot_copy(why, from)};
  return {};
}

/// A second name for an open file, or a copy of it where a file that had one cannot get another.
expected<void> name_it(int file, const fs::path& name) {
  const auto open_file = fmt::format("/proc/self/fd/{}", file);
  if (::linkat(AT_FDCWD, open_file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return tl::unexpected{cannot_copy(errno, name)};
  const bool filled = fill(fd, file);
  const int why = errno;
  ::close(fd);
  if (!filled) return tl::unexpected{cannot_copy(why, name)};
  return {};
}

}  // namespace

ledger_copy::ledger_copy(ledger_copy&& other) noexcept
    : folder_(std::exchange(other.folder_, {})), files_(std::exchange(other.files_, {-1, -1})) {}

ledger_copy::~ledger_copy() {
  take_name();
  for (const int fd : files_)
    if (fd >= 0) ::close(fd);
}

expected<ledger_copy> ledger_copy::take(const fs::path& ledger) {
  const auto wal = wal_of(ledger);
  ledger_copy made;
  const auto folder = fs::temp_directory_path();
  for (auto& fd : made.files_)
    if (fd = nameless_file(folder); fd < 0) return tl::unexpected{cannot_copy(errno, folder)};
  for (int tries = 0; tries < 3; ++tries) {
    const auto before = std::pair{signature_of(ledger), signature_of(wal)};
    if (auto copied = made.copy_both(ledger); !copied) return tl::unexpected{copied.error()};
    if (before == std::pair{signature_of(ledger), signature_of(wal)}) return made;
  }
  return fail(ec::state_locked, fmt::format("the ledger '{}' is being changed; try again", ledger.string()));
}

expected<void> ledger_copy::copy_both(const fs::path& ledger) {
  const std::array from{ledger, wal_of(ledger)};
  for (size_t i = 0; i < files_.size(); ++i)
    if (auto filled = fill_from(files_[i], from[i], i == 1); !filled) return filled;
  return {};
}

expected<fs::path> ledger_copy::give_name() {
  auto pattern = (fs::temp_directory_path() / "cohort-ledger-XXXXXX").native();
  if (::mkdtemp(pattern.data()) == nullptr) return tl::unexpected{system_error(errno, "create a folder like", pattern)};
  folder_ = pattern;
  const auto name = folder_ / "ledger.db";
  const std::array names{name, wal_of(name)};
  for (size_t i = 0; i < files_.size(); ++i)
    if (auto named = name_it(files_[i], names[i]); !named) return tl::unexpected{named.error()};
  return name;
}

void ledger_copy::take_name() noexcept {
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
  folder_.clear();
}

}  // namespace cohort::state
