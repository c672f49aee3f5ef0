// An open-file-description lock on a file. The kernel frees it with the last descriptor, whatever kills the process,
// so what a stale file says about an old holder never counts.

#include "state/run_lock.hpp"

#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/signing_key.hpp"
#include "base/text.hpp"

namespace cohort::state {

namespace fs = std::filesystem;

namespace {

struct flock whole_file(short type) noexcept {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// True if `path` still names the file that is open as `fd`. If not, someone deleted or replaced it, and a lock
/// on `fd` would keep nobody out.
bool still_named(int fd, const fs::path& path) noexcept {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(fd, &open_file) == 0 && ::stat(path.c_str(), &named) == 0 && open_file.st_dev == named.st_dev &&
         open_file.st_ino == named.st_ino;
}

std::string render(const lock_holder& holder) {
  const nlohmann::json json{{"process", holder.process}, {"host", holder.host},
                            {"command", holder.command}, {"since", to_iso8601(holder.since)},
                            {"listens", holder.listens}, {"cluster", holder.cluster}};
  return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// What the file says; empty fields where it says nothing usable (the holder may just be writing it).
lock_holder parse(const std::string& text) {
  lock_holder holder;
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return holder;
  const auto string_of = [&json](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string{};
  };
  if (const auto at = json.find("process"); at != json.end() && at->is_number_integer())
    holder.process = at->get<int64_t>();
  holder.host = string_of("host");
  holder.command = string_of("command");
  holder.listens = string_of("listens");
  holder.cluster = string_of("cluster");
  if (const auto since = parse_iso8601(string_of("since")); since) holder.since = *since;
  return holder;
}

error locked_by(const lock_holder& holder, const fs::path& file) {
  const std::string watch = "Watch it with `cohort generate-logical-batch PROJECT --stats`, or wait until it ends";
  if (holder.process == 0)
    return {ec::state_locked,
            fmt::format("another run holds '{}', which does not say who. {}", printable(file.string(), 1000), watch)};
  return {ec::state_locked,
          fmt::format("another run is at work on this project: process {} on {}, since {} (`{}`). {}", holder.process,
                      printable(holder.host), to_iso8601(holder.since), printable(holder.command, 500), watch)};
}

expected<void> write_holder(int fd, const lock_holder& holder, const fs::path& file) {
  const auto text = render(holder);
  if (::ftruncate(fd, 0) != 0) return tl::unexpected{system_error(errno, "write the lock", file)};
  size_t done = 0;
  while (done < text.size()) {
    const auto written = ::pwrite(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return tl::unexpected{system_error(errno, "write the lock", file)};
    done += static_cast<size_t>(written);
  }
  return {};
}

}  // namespace

run_lock::run_lock(int descriptor, fs::path file) noexcept : descriptor_(descriptor), file_(std::move(file)) {}

run_lock::run_lock(run_lock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      second_(std::exchange(other.second_, -1)),
      file_(std::move(other.file_)) {}

run_lock& run_lock::operator=(run_lock&& other) noexcept {
  if (this != &other) {
    release();
    descriptor_ = std::exchange(other.descriptor_, -1);
    second_ = std::exchange(other.second_, -1);
    file_ = std::move(other.file_);
  }
  return *this;
}

run_lock::~run_lock() { release(); }

/// Leaves no lock file behind. Unlinking while the lock is held is safe: whoever opened the old file meanwhile sees
/// that it has lost its name, and opens again.
void run_lock::release() noexcept {
  if (descriptor_ < 0) return;
  if (still_named(descriptor_, file_)) ::unlink(file_.c_str());
  ::close(descriptor_);
  if (second_ >= 0) ::close(second_);
  descriptor_ = second_ = -1;
}

namespace {

/// A second lock, in the user's own folder: it keeps runs of this user apart, too, whose `.claude-testing` was deleted
/// or replaced meanwhile, and nobody else can take it. -1 on a file system that cannot lock.
expected<descriptor> lock_for_this_user(const fs::path& file) {
  const auto user_state = make_user_state();
  if (!user_state) return tl::unexpected{user_state.error()};
  const auto name = fs::path{"locks"} / to_hex(sha256(file.native())).substr(0, 32);
  auto held = user_state->open_file(name, O_RDWR | O_CREAT);
  if (!held) return held;
  if (::flock(held->get(), LOCK_EX | LOCK_NB) == 0) return held;
  if (errno == EWOULDBLOCK) return tl::unexpected{locked_by({}, file)};
  return descriptor{};
}

}  // namespace

expected<run_lock> run_lock::acquire(const fs::path& file, const lock_holder& holder) {
  const auto parent = folder::make(file.parent_path());
  if (!parent) return tl::unexpected{parent.error()};
  for (int tries = 0; tries < 100; ++tries) {
    auto opened = parent->open_file(file.filename(), O_RDWR | O_CREAT);
    if (!opened) return tl::unexpected{opened.error()};
    const int fd = opened->release();
    run_lock lock{fd, file};
    (void)::fchmod(fd, 0600);  // Whoever can open the file can lock it.
    auto wanted = whole_file(F_WRLCK);
    if (::fcntl(fd, F_OFD_SETLK, &wanted) != 0) {
      const int why = errno;
      const auto text = read_file(file, 1 << 16);
      ::close(std::exchange(lock.descriptor_, -1));  // not ours: the name must stay
      if (why != EAGAIN && why != EACCES) return tl::unexpected{system_error(why, "lock", file)};
      return tl::unexpected{locked_by(text ? parse(*text) : lock_holder{}, file)};
    }
    if (!still_named(fd, file)) continue;  // released and removed by its holder between open and lock
    auto second = lock_for_this_user(file);
    if (!second) return tl::unexpected{second.error()};
    lock.second_ = second->release();
    if (auto written = write_holder(fd, holder, file); !written) return tl::unexpected{written.error()};
    return lock;
  }
  return fail(ec::io, fmt::format("cannot lock '{}': the file is replaced again and again", file.string()));
}

expected<lock_holder> current_holder(const fs::path& file) {
  const auto nobody = [&] { return fail(ec::state_missing, fmt::format("no run holds '{}'", file.string())); };
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return nobody();
  if (fd < 0) return tl::unexpected{system_error(errno, "open the lock", file)};
  auto wanted = whole_file(F_WRLCK);
  const bool asked = ::fcntl(fd, F_OFD_GETLK, &wanted) == 0;
  const int why = errno;
  ::close(fd);
  if (!asked) return tl::unexpected{system_error(why, "inspect the lock", file)};
  if (wanted.l_type == F_UNLCK) return nobody();
  const auto text = read_file(file, 1 << 16);
  if (!text) return tl::unexpected{text.error()};
  return parse(*text);
}

}  // namespace cohort::state
