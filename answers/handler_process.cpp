// Sends a question to another process, as texts with their lengths, and reads the reply. Both ends are this program, so
// that anything unexpected is a fault and not an input to tolerate.

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answers/guarded_handler.hpp"

namespace cohort::answers {

namespace {

constexpr rlim_t most_seconds = 60;  ///< Of processor time. An answer within its bounds needs a tenth of that.
constexpr rlim_t most_reader_bytes = rlim_t{4} << 30U;
constexpr int longest_wait_ms = 15 * 60 * 1000;  ///< By the clock; the machine may be busy.
constexpr int most_kills = 3;  ///< By a user, or by a machine without memory: they say little about the answer.

void put(std::string& out, std::string_view text) {
  out += std::to_string(text.size()) + ':';
  out += text;
}

std::optional<std::string> take(std::string_view& in) {
  size_t size = 0;
  const auto colon = in.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 12) return std::nullopt;
  for (const char c : in.substr(0, colon)) {
    if (c < '0' || c > '9') return std::nullopt;
    size = size * 10 + static_cast<size_t>(c - '0');
  }
  in.remove_prefix(colon + 1);
  if (size > in.size()) return std::nullopt;
  std::string text{in.substr(0, size)};
  in.remove_prefix(size);
  return text;
}

std::string packed(const handler_question& question) {
  std::string out;
  put(out, std::to_string(static_cast<int>(question.what)));
  put(out, question.label);
  put(out, question.target);
  put(out, std::to_string(question.traits.size()));
  for (const auto& [key, value] : question.traits) {
    put(out, key);
    put(out, value);
  }
  for (const auto& text : question.texts) put(out, text);
  return out;
}

std::optional<handler_question> unpacked_question(std::string_view in) {
  const auto what = take(in);
  auto label = take(in);
  auto target = take(in);
  const auto traits = take(in);
  if (!what || !label || !target || !traits) return std::nullopt;
  handler_question question;
  question.what = static_cast<handler_question::kind>(std::atoi(what->c_str()));
  question.label = std::move(*label);
  question.target = std::move(*target);
  for (int left = std::atoi(traits->c_str()); left > 0; --left) {
    auto key = take(in);
    auto value = take(in);
    if (!key || !value) return std::nullopt;
    question.traits.emplace(std::move(*key), std::move(*value));
  }
  while (auto text = take(in)) question.texts.push_back(std::move(*text));
  return in.empty() ? std::optional{std::move(question)} : std::nullopt;
}

std::string packed(const expected<std::string>& answer) {
  std::string out;
  put(out, std::to_string(static_cast<int>(answer ? ec::none : answer.error().code)));
  put(out, answer ? *answer : answer.error().message);
  return out;
}

std::optional<expected<std::string>> unpacked_answer(std::string_view in) {
  const auto code = take(in);
  auto text = take(in);
  if (!code || !text || !in.empty()) return std::nullopt;
  const auto number = static_cast<ec>(std::atoi(code->c_str()));
  if (number == ec::none) return std::move(*text);
  return fail(number, std::move(*text));
}

/// Opens a file without a name.
class memory_file {
 public:
  memory_file() : file_(::memfd_create("cohort", MFD_CLOEXEC)) {}
  [[nodiscard]] bool write(std::string_view text) const {
    while (!text.empty()) {
      const auto written = ::write(file_.get(), text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<size_t>(written));
    }
    return ::lseek(file_.get(), 0, SEEK_SET) == 0;
  }
  [[nodiscard]] std::string read() const { return read_all(file_.get()); }
  [[nodiscard]] int fd() const noexcept { return file_.get(); }

  static std::string read_all(int fd) {
    std::string text;
    std::array<char, 65536> block;
    if (fd != STDIN_FILENO) ::lseek(fd, 0, SEEK_SET);
    for (;;) {
      const auto got = ::read(fd, block.data(), block.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      text.append(block.data(), static_cast<size_t>(got));
    }
  }

 private:
  descriptor file_;
};

/// The environment of the other process; it has no key.
std::vector<char*> environment_of_reader() {
  std::vector<char*> kept;
  for (char** one = environ; *one != nullptr; ++one)
    for (const std::string_view name : {"COHORT_CONFIG_DIR=", "LD_LIBRARY_PATH=", "ASAN_OPTIONS=", "UBSAN_OPTIONS="})
      if (std::string_view{*one}.starts_with(name)) kept.push_back(*one);
  kept.push_back(nullptr);
  return kept;
}

/// Starts the process in a group of its own, so that a terminal's signals to this program do not reach it.
int start(const std::filesystem::path& program, const memory_file& question, const memory_file& answer, pid_t& child) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, question.fd(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&files, answer.fd(), STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  sigset_t none;
  ::sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::string name = "cohort";
  std::string command = "read-answer";
  std::array<char*, 3> words{name.data(), command.data(), nullptr};
  const auto environment = environment_of_reader();
  const int problem = ::posix_spawn(&child, program.c_str(), &files, &attributes, words.data(), environment.data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  return problem;
}

/// Waits for the process and returns its status. Kills it if it takes too long by the clock.
int await(pid_t child) {
  const descriptor handle{static_cast<int>(::syscall(SYS_pidfd_open, child, 0))};
  if (handle.valid()) {
    pollfd ended{handle.get(), POLLIN, 0};
    int ready = 0;
    do ready = ::poll(&ended, 1, longest_wait_ms);
    while (ready < 0 && errno == EINTR);
    if (ready == 0) ::kill(child, SIGKILL);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

tl::unexpected<error> nothing_found_out(const handler_question& question, std::string_view why) {
  return fail(ec::interrupted, fmt::format("the answer to '{}' may have ended the last process, and no other one could "
                                           "read it: {}; the answer is kept",
                                           question.label, why));
}

void bound_this_process() {
  const auto limit = [](auto resource, rlim_t soft, rlim_t hard) {
    const rlimit wanted{soft, hard};
    (void)::setrlimit(resource, &wanted);
  };
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_CPU, most_seconds, most_seconds + 5);
#ifndef __SANITIZE_ADDRESS__
  limit(RLIMIT_AS, most_reader_bytes, most_reader_bytes);
#endif
}

}  // namespace

expected<std::string> ask_elsewhere(const std::filesystem::path& program, const handler_question& question) {
  for (int kills = 0; kills < most_kills; ++kills) {
    const memory_file asked;
    const memory_file answered;
    pid_t child = 0;
    if (!asked.write(packed(question))) return nothing_found_out(question, std::strerror(errno));
    if (const int problem = start(program, asked, answered, child); problem != 0)
      return nothing_found_out(question, std::strerror(problem));
    const int status = await(child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) continue;
    if (WIFSIGNALED(status))
      return fail(ec::answer_too_costly, fmt::format("reading the answer ends the program (signal {}: {})",
                                                     WTERMSIG(status), ::strsignal(WTERMSIG(status))));
    if (auto answer = unpacked_answer(answered.read()); WIFEXITED(status) && WEXITSTATUS(status) == 0 && answer)
      return std::move(*answer);
    return nothing_found_out(question, "that process failed");
  }
  return fail(ec::answer_too_costly, fmt::format("the process that reads the answer was killed {} times", most_kills));
}

int answer_question(const std::function<expected<std::unique_ptr<answer_handler>>()>& load) {
  bound_this_process();
  const auto question = unpacked_question(memory_file::read_all(STDIN_FILENO));
  const auto handler = load();
  if (!question || !handler) return EXIT_FAILURE;
  const auto answer = packed(answer_of(**handler, *question));
  return std::fwrite(answer.data(), 1, answer.size(), stdout) == answer.size() && std::fflush(stdout) == 0
             ? EXIT_SUCCESS
             : EXIT_FAILURE;
}

}  // namespace cohort::answers
