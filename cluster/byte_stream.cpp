#include "cluster/byte_stream.hpp"

#include <cerrno>

#include <sys/socket.h>

namespace cohort {

namespace {

constexpr size_t most_waiting = 256 << 10;

}  // namespace

bool byte_stream::full() const noexcept { return waiting() >= most_waiting; }

bool byte_stream::take_in(int from) {
  char chunk[64 << 10];
  while (!full() && !ended_) {
    const auto got = ::recv(from, chunk, sizeof chunk, 0);
    if (got > 0) {
      if (empty()) {
        bytes_.clear();
        sent_ = 0;
      }
      bytes_.insert(bytes_.end(), chunk, chunk + got);
      if (static_cast<size_t>(got) < sizeof chunk) return true;
      continue;
    }
    if (got == 0) ended_ = true;
    if (got < 0 && errno == EINTR) continue;
    return got == 0 || errno == EAGAIN;
  }
  return true;
}

bool byte_stream::give_out(int to) {
  while (!empty()) {
    const auto done = ::send(to, bytes_.data() + sent_, waiting(), MSG_NOSIGNAL);
    if (done < 0 && errno == EINTR) continue;
    if (done < 0) return errno == EAGAIN;
    sent_ += static_cast<size_t>(done);
  }
  if (ended_ && !shut_) {
    shut_ = true;
    ::shutdown(to, SHUT_WR);
  }
  return true;
}

}  // namespace cohort
