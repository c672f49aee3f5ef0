// Moves bytes between TLS and the socket pair. Each step moves some bytes one stage on; steps repeat until none moves
// any.

#include "cluster/relay.hpp"

#include <algorithm>
#include <array>
#include <cerrno>

#include <openssl/err.h>
#include <sys/socket.h>

#include "cluster/tls.hpp"

namespace cohort::cluster {

namespace {

constexpr size_t chunk = 64U << 10;
constexpr size_t most_waiting = largest_frame;  // At each stage, not counting what was read last.
constexpr uint32_t most_rounds = 64;            // In one turn.
constexpr uint32_t most_frames = 10'000;        // A second.

}  // namespace

void byte_queue::add(std::string_view more) {
  if (taken_ > 0 && taken_ >= bytes_.size() / 2) {
    bytes_.erase(0, taken_);
    taken_ = 0;
  }
  bytes_.append(more);
}

void byte_queue::take(size_t count) noexcept {
  taken_ += count;
  if (taken_ < bytes_.size()) return;
  bytes_.clear();
  taken_ = 0;
  if (bytes_.capacity() > chunk) bytes_.shrink_to_fit();
}

relay::relay(descriptor outside, ssl_ptr link, cluster_side own)
    : outside_(std::move(outside)), link_(std::move(link)), guard_(own) {}

relay::~relay() {
  ERR_clear_error();
  if (link_ && !outside_ended_ && !breach_) SSL_shutdown(link_.get());
  ERR_clear_error();
}

expected<descriptor> relay::open_inside() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(ec::io, "no descriptor is left for another connection");
  inside_ = descriptor{ends[0]};
  return descriptor{ends[1]};
}

bool relay::slowed() const noexcept { return frames_ >= most_frames && !outside_ended_; }

bool relay::may_read(steady_time now) const noexcept {
  return !outside_ended_ && came_.size() < most_waiting && passed_.size() < most_waiting &&
         (frames_ < most_frames || now - second_ >= std::chrono::seconds{1});
}

/// Each of the steps below returns true if it has moved something.
bool relay::receive() {
  std::array<char, chunk> bytes;
  ERR_clear_error();
  const int got = SSL_read(link_.get(), bytes.data(), static_cast<int>(bytes.size()));
  const auto step = tls_step_of(*link_, got);
  read_wants_write_ = step == tls_step::wants_write;
  if (step == tls_step::over) outside_ended_ = true;
  if (step != tls_step::done) return false;
  came_.add({bytes.data(), static_cast<size_t>(got)});
  return true;
}

bool relay::check_frame() {
  bool moved = false;
  while (guard_.ready() && !breach_ && passed_.size() < most_waiting && frames_ < most_frames) {
    const auto waiting = came_.view();
    const auto size = frame_size(waiting);
    if (!size) break;
    if (*size > largest_frame) {
      breach_ = true;
      break;
    }
    if (waiting.size() < *size) break;
    const auto frame = waiting.substr(0, *size);
    const auto verdict = guard_.incoming(frame);
    breach_ = verdict == frame_verdict::breach;
    if (verdict == frame_verdict::pass) passed_.add(frame);
    came_.take(*size);
    ++frames_;
    moved = true;
  }
  return moved;
}

bool relay::give_in() {
  if (passed_.empty() || inside_ended_) return false;
  const auto done = ::send(inside_.get(), passed_.view().data(), passed_.size(), MSG_NOSIGNAL);
  if (done < 0 && errno != EAGAIN && errno != EINTR) inside_ended_ = true;
  if (done <= 0) return false;
  passed_.take(static_cast<size_t>(done));
  return true;
}

bool relay::take_out() {
  if (inside_ended_ || leaving_.size() >= most_waiting) return false;
  std::array<char, chunk> bytes;
  const auto got = ::recv(inside_.get(), bytes.data(), bytes.size(), 0);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) inside_ended_ = true;
  if (got <= 0) return false;
  said_.add({bytes.data(), static_cast<size_t>(got)});
  return true;
}

/// Passes whole frames of the framework on; the guard learns from them.
bool relay::announce() {
  bool moved = false;
  for (auto size = frame_size(said_.view()); size && said_.size() >= *size; size = frame_size(said_.view())) {
    const auto frame = said_.view().substr(0, *size);
    guard_.outgoing(frame);
    leaving_.add(frame);
    said_.take(*size);
    moved = true;
  }
  return moved;
}

bool relay::send() {
  if (leaving_.empty() || outside_ended_) return false;
  ERR_clear_error();
  const auto some = static_cast<int>(std::min(leaving_.size(), chunk));
  const int done = SSL_write(link_.get(), leaving_.view().data(), some);
  const auto step = tls_step_of(*link_, done);
  write_wants_read_ = step == tls_step::wants_read;
  if (step == tls_step::over) outside_ended_ = true;
  if (step != tls_step::done) return false;
  leaving_.take(static_cast<size_t>(done));
  return true;
}

relay::state relay::move(steady_time now) {
  if (now - second_ >= std::chrono::seconds{1}) {
    second_ = now;
    frames_ = 0;
  }
  busy_ = true;
  for (uint32_t rounds = 0; busy_ && !breach_ && rounds < most_rounds; ++rounds) {
    bool moved = take_out();
    moved = announce() || moved;
    moved = send() || moved;
    if (may_read(now)) moved = receive() || moved;
    moved = check_frame() || moved;
    busy_ = give_in() || moved;
  }
  if (breach_) return state::breach;
  const bool nothing_for_it = passed_.empty() || inside_ended_;
  if (outside_ended_ && nothing_for_it) return state::over;
  return inside_ended_ && leaving_.empty() ? state::over : state::goes_on;
}

relay::interest relay::wants(steady_time now) const noexcept {
  interest wanted;
  wanted.read_outside = may_read(now) || write_wants_read_;
  wanted.write_outside = !leaving_.empty() || read_wants_write_;
  wanted.read_inside = !inside_ended_ && leaving_.size() < most_waiting;
  wanted.write_inside = !inside_ended_ && !passed_.empty();
  return wanted;
}

}  // namespace cohort::cluster
