// The faults of `cohort_faults`, a build of the program for campaigns. Besides the points that are named in the sources
// (base/fault_point.hpp) there are those within SQLite: its system calls that change a file.
//
//   COHORT_FAULT=NAME:N               SIGKILL at the N-th passing of NAME, counting from 1
//   COHORT_FAULT=NAME:N:ERRNO:COUNT   from the N-th passing on, COUNT calls of SQLite fail with this error number
//   COHORT_FAULT_CENSUS=FILE          a line in FILE for each passing
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/fault_point.hpp"

namespace cohort::inline base {

namespace {

enum class fate : uint8_t { pass, die, fail };

class fault_plan {
 public:
  fault_plan() noexcept {
    if (const char* file = std::getenv("COHORT_FAULT_CENSUS"); file != nullptr)
      census_ = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const char* request = std::getenv("COHORT_FAULT");
    if (request == nullptr) return;
    char name[64] = {};
    unsigned long long first = 0;
    unsigned long long count = 0;
    const int fields = std::sscanf(request, "%63[^:]:%llu:%d:%llu", name, &first, &error_, &count);
    if ((fields != 2 && fields != 4) || first == 0) {
      std::fprintf(stderr, "COHORT_FAULT is not NAME:N or NAME:N:ERRNO:COUNT: %s\n", request);
      std::_Exit(99);
    }
    name_ = name;
    first_ = first;
    count_ = count;
  }

  /// What is to happen at this passing of `name`.
  fate pass(const char* name) noexcept {
    if (census_ >= 0) {
      const auto line = std::string{name} + "\n";
      (void)!::write(census_, line.data(), line.size());
    }
    if (name_ != name) return fate::pass;
    const auto now = ++passed_;
    if (count_ == 0) return now == first_ ? fate::die : fate::pass;
    return now >= first_ && now - first_ < count_ ? fate::fail : fate::pass;
  }
  [[nodiscard]] int error() const noexcept { return error_; }

 private:
  int census_ = -1;
  std::string name_;
  uint64_t first_ = 0;
  uint64_t count_ = 0;
  int error_ = 0;
  std::atomic<uint64_t> passed_{0};
};

fault_plan& plan() noexcept {
  static fault_plan instance;
  return instance;
}

[[noreturn]] void die() noexcept {
  ::kill(::getpid(), SIGKILL);
  for (;;) ::pause();
}

/// True if the call is to fail; `errno` is set.
bool ends_with(const char* name) noexcept {
  const auto what = plan().pass(name);
  if (what == fate::die) die();
  if (what == fate::fail) errno = plan().error();
  return what == fate::fail;
}

ssize_t write_torn(int fd, const void* data, size_t size) {
  if (ends_with("ledger.write")) return -1;
  if (plan().pass("ledger.torn_write") == fate::die) {
    (void)!::write(fd, data, size / 2);
    die();
  }
  return ::write(fd, data, size);
}

ssize_t pwrite_torn(int fd, const void* data, size_t size, off_t offset) {
  if (ends_with("ledger.write")) return -1;
  if (plan().pass("ledger.torn_write") == fate::die) {
    (void)!::pwrite(fd, data, size / 2, offset);
    die();
  }
  return ::pwrite(fd, data, size, offset);
}

int truncate_or_die(int fd, off_t size) { return ends_with("ledger.truncate") ? -1 : ::ftruncate(fd, size); }

int unlink_or_die(const char* path) { return ends_with("ledger.unlink") ? -1 : ::unlink(path); }

/// SQLite lets its system calls be replaced, by name.
struct sqlite_calls {
  sqlite_calls() noexcept {
    auto* files = ::sqlite3_vfs_find(nullptr);
    const auto replace = [files](const char* name, auto* with) {
      files->xSetSystemCall(files, name, reinterpret_cast<sqlite3_syscall_ptr>(with));
    };
    replace("write", &write_torn);
    replace("pwrite", &pwrite_torn);
    replace("pwrite64", &pwrite_torn);
    replace("ftruncate", &truncate_or_die);
    replace("unlink", &unlink_or_die);
  }
};

const sqlite_calls installed;

}  // namespace

void pass_fault_point(const char* name) noexcept {
  if (plan().pass(name) == fate::die) die();
}

}  // namespace cohort::inline base
