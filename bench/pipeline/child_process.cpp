// fork, exec, pipe.

#include "child_process.hpp"

#include <csignal>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cohort::bench {

child_process::child_process(const std::vector<std::string>& words) {
  int ends[2] = {-1, -1};
  if (::pipe(ends) != 0) return;
  process_ = ::fork();
  if (process_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);  // A benchmark that fails leaves nothing behind.
    ::dup2(ends[1], STDOUT_FILENO);
    ::close(ends[0]);
    ::close(ends[1]);
    std::vector<char*> arguments;
    arguments.reserve(words.size() + 1);
    for (const auto& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(ends[1]);
  output_ = ends[0];
}

child_process::~child_process() {
  ::kill(process_, SIGTERM);
  ::waitpid(process_, nullptr, 0);
  ::close(output_);
}

std::string child_process::line() {
  std::string text;
  char byte = 0;
  while (::read(output_, &byte, 1) == 1 && byte != '\n') text.push_back(byte);
  return text;
}

}  // namespace cohort::bench
