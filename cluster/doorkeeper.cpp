// One thread, epoll, two bounded streams a connection: who reads slowly is not read for.

#include "cluster/doorkeeper.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <thread>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.hpp"
#include "cluster/byte_stream.hpp"
#include "cluster/tls_records.hpp"

namespace cohort {

namespace {

constexpr milliseconds tell_every{1000};
constexpr milliseconds longest_wait{250};

void close_quietly(int& fd) noexcept {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

enum class fate : uint8_t { goes_on, waits, over };

std::string name_of(const sockaddr_storage& peer, socklen_t size) {
  char host[NI_MAXHOST] = {0};
  char port[NI_MAXSERV] = {0};
  if (::getnameinfo(reinterpret_cast<const sockaddr*>(&peer), size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    return "somebody";
  return fmt::format("{}:{}", host, port);
}

}  // namespace

class doorkeeper::keeper {
 public:
  keeper(int listener, door_rules rules, net_address where)
      : listener_(listener),
        rules_(rules),
        where_(std::move(where)),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  keeper(const keeper&) = delete;
  keeper& operator=(const keeper&) = delete;
  ~keeper() {
    stopping_ = true;
    const uint64_t one = 1;
    if (::write(wake_, &one, sizeof one) < 0) log_warning("the doorkeeper could not be woken");
    if (thread_.joinable()) thread_.join();
    close_quietly(wake_);
    close_quietly(poll_);
    close_quietly(listener_);
  }

  void start(uint16_t port, on_refused tell) {
    inside_.sin_family = AF_INET;
    inside_.sin_port = htons(port);
    inside_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    tell_ = std::move(tell);
    thread_ = std::thread{[this] { serve(); }};
  }

  [[nodiscard]] const net_address& where() const noexcept { return where_; }
  [[nodiscard]] door_counters counters() const {
    return {accepted_.load(), passed_.load(), refused_.load(), open_.load()};
  }

 private:
  struct visitor {
    uint64_t id = 0;
    int outside = -1;
    int inside = -1;  ///< -1 until the first bytes look like TLS.
    bool connecting = false;
    bool passed = false;
    bool judged_out = false;  ///< The framework has refused its handshake.
    bool hung_up = false;     ///< Went before the verdict, which is still waited for.
    uint32_t replies = 0;     ///< How often the talk turned from the visitor to the framework's answer.
    bool spoke_last = false;
    steady_time since;
    std::string name;
    byte_stream in;   ///< From outside to the framework.
    byte_stream out;  ///< Back.
    uint32_t watched_outside = 0;
    uint32_t watched_inside = 0;
  };
  using visitors = std::unordered_map<uint64_t, visitor>;

  void serve();
  void attend();
  void rest();
  void accept_all();
  void handle(visitor& guest, bool from_inside, uint32_t events);
  fate look(visitor& guest);
  bool enter(visitor& guest);
  fate move(visitor& guest, bool inside_failed);
  bool hear_answer(visitor& guest);
  void pass(visitor& guest);
  void watch(visitor& guest);
  void watch_one(int fd, uint64_t key, uint32_t wanted, uint32_t& present);
  void leave(visitor& guest);
  void refuse(visitor& guest, std::string_view why);
  void close_late();
  void tell_refused();

  int listener_;
  door_rules rules_;
  net_address where_;
  int poll_;
  int wake_;
  sockaddr_in inside_{};
  on_refused tell_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> passed_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint32_t> open_{0};
  visitors guests_;
  std::list<uint64_t> strangers_;  ///< In order of arrival; those that passed are skipped.
  size_t stranger_count_ = 0;
  uint64_t last_id_ = 0;
  bool rests_ = false;  ///< No descriptor was free: the listener is not watched until one is.
  std::string first_words_;
  uint64_t untold_ = 0;
  steady_time told_{};
};

/// Watches the listener.
void doorkeeper::keeper::attend() {
  rests_ = false;
  epoll_event wish{};
  wish.events = EPOLLIN;
  wish.data.u64 = 0;
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, listener_, &wish);
}

/// No descriptor is left: newcomers wait in the kernel's queue until somebody has left.
void doorkeeper::keeper::rest() {
  rests_ = true;
  ::epoll_ctl(poll_, EPOLL_CTL_DEL, listener_, nullptr);
  log_warning("no file descriptor is left for another connection; newcomers wait");
}

void doorkeeper::keeper::serve() {
  attend();
  epoll_event wish{};
  wish.events = EPOLLIN;
  wish.data.u64 = 1;
  ::epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &wish);
  last_id_ = 1;
  std::array<epoll_event, 64> ready{};
  while (!stopping_) {
    const int count =
        ::epoll_wait(poll_, ready.data(), static_cast<int>(ready.size()), static_cast<int>(longest_wait.count()));
    for (int i = 0; i < count && !stopping_; ++i) {
      const auto key = ready[static_cast<size_t>(i)].data.u64;
      if (key == 0) accept_all();
      if (key < 2) continue;
      const auto guest = guests_.find(key >> 1);
      if (guest != guests_.end()) handle(guest->second, (key & 1) != 0, ready[static_cast<size_t>(i)].events);
    }
    close_late();
    tell_refused();
  }
  while (!guests_.empty()) leave(guests_.begin()->second);
}

void doorkeeper::keeper::accept_all() {
  for (;;) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int fd = ::accept4(listener_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE) && !strangers_.empty()) {
      // Out of descriptors: whoever has waited longest without shaking hands makes room.
      if (const auto oldest = guests_.find(strangers_.front()); oldest != guests_.end())
        refuse(oldest->second, "it had not finished its handshake when others came");
      else
        strangers_.pop_front();
      continue;
    }
    if (fd < 0 && (errno == EMFILE || errno == ENFILE)) rest();
    if (fd < 0) return;
    ++accepted_;
    const int one = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    visitor guest;
    guest.id = ++last_id_;
    guest.outside = fd;
    guest.since = steady_clock::now();
    guest.name = name_of(peer, size);
    auto& kept = guests_.emplace(guest.id, std::move(guest)).first->second;
    strangers_.push_back(kept.id);
    ++stranger_count_;
    ++open_;
    watch(kept);
    while (stranger_count_ > rules_.most_strangers && !strangers_.empty()) {
      const auto oldest = guests_.find(strangers_.front());
      if (oldest == guests_.end() || oldest->second.passed)
        strangers_.pop_front();
      else
        refuse(oldest->second, "it had not finished its handshake when others came");
    }
  }
}

void doorkeeper::keeper::handle(visitor& guest, bool from_inside, uint32_t events) {
  if (guest.inside < 0) {
    if (look(guest) != fate::goes_on) return;
  } else if (guest.connecting && from_inside) {
    int why = 0;
    socklen_t size = sizeof why;
    ::getsockopt(guest.inside, SOL_SOCKET, SO_ERROR, &why, &size);
    if (why != 0) return leave(guest);
    if ((events & EPOLLOUT) != 0) guest.connecting = false;
  }
  const bool gone = (events & (EPOLLERR | EPOLLHUP)) != 0;
  if (move(guest, gone && from_inside) == fate::over) return;
  watch(guest);
}

/// The first bytes decide whether the framework gets to see this visitor at all.
fate doorkeeper::keeper::look(visitor& guest) {
  const bool fine = guest.in.take_in(guest.outside);
  const auto head = guest.in.pending();
  if (!may_be_hello(head)) {
    refuse(guest, "it does not speak TLS");
    return fate::over;
  }
  if (!fine || guest.in.ended()) {
    leave(guest);
    return fate::over;
  }
  if (head.size() < 3) return fate::waits;  // The rest comes, or the deadline does.
  guest.spoke_last = true;
  if (enter(guest)) return fate::goes_on;
  leave(guest);
  return fate::over;
}

bool doorkeeper::keeper::enter(visitor& guest) {
  guest.inside = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (guest.inside < 0) return false;
  const int one = 1;
  ::setsockopt(guest.inside, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (::connect(guest.inside, reinterpret_cast<const sockaddr*>(&inside_), sizeof inside_) == 0) return true;
  guest.connecting = errno == EINPROGRESS;
  return guest.connecting;
}

void doorkeeper::keeper::pass(visitor& guest) {
  if (guest.passed) return;
  guest.passed = true;
  ++passed_;
  --stranger_count_;
}

/// Takes in what the framework says; where the talk turns to it, that may be its verdict. False on an error.
bool doorkeeper::keeper::hear_answer(visitor& guest) {
  const auto before = guest.out.waiting();
  const bool fine = guest.out.take_in(guest.inside);
  const auto fresh = guest.out.waiting() - before;
  if (fresh == 0 || !guest.spoke_last) return fine;
  guest.spoke_last = false;
  ++guest.replies;
  if (guest.passed) return fine;
  switch (verdict_of(guest.out.pending().substr(before))) {
    case tls_verdict::none: break;
    case tls_verdict::accepted:
      if (guest.replies >= 2) pass(guest);
      break;
    case tls_verdict::refused: guest.judged_out = true; break;
  }
  return fine;
}

fate doorkeeper::keeper::move(visitor& guest, bool inside_failed) {
  const auto had = guest.in.waiting();
  bool outside_fine = guest.hung_up || guest.in.take_in(guest.outside);
  if (guest.in.waiting() > had) guest.spoke_last = true;
  bool inside_fine = true;
  if (!guest.connecting) {
    inside_fine = guest.in.give_out(guest.inside);
    inside_fine = hear_answer(guest) && inside_fine;
  }
  // Whoever speaks on after the framework's second answer was accepted.
  if (!guest.passed && !guest.judged_out && guest.replies >= 3 && guest.spoke_last) pass(guest);
  const bool inside_ended = guest.out.ended() || inside_failed || !inside_fine;
  const bool left_first = guest.in.ended() || guest.hung_up || !outside_fine;
  if (guest.judged_out || (!guest.passed && inside_ended && !left_first && guest.replies >= 1)) {
    guest.out.keep_open();  // The verdict is still passed on; the end comes with the refusal.
    (void)guest.out.give_out(guest.outside);
    refuse(guest, "it has no valid certificate of this cluster");
    return fate::over;
  }
  if (!guest.passed && left_first && guest.replies >= 1 && !inside_ended) {
    // It has gone, but the framework still judges what it has sent: whom it refuses is worth a line.
    guest.hung_up = true;
    guest.in.end();
    close_quietly(guest.outside);
    if (guest.in.give_out(guest.inside)) return fate::goes_on;
    leave(guest);
    return fate::over;
  }
  outside_fine = outside_fine && guest.out.give_out(guest.outside);
  const bool done = guest.in.ended() && guest.in.empty() && guest.out.ended() && guest.out.empty();
  if (outside_fine && inside_fine && !done && !inside_failed) return fate::goes_on;
  leave(guest);
  return fate::over;
}

void doorkeeper::keeper::watch_one(int fd, uint64_t key, uint32_t wanted, uint32_t& present) {
  constexpr uint32_t added = 1U << 31;  // Told to epoll at all: zero interest is a registration, too.
  if (fd < 0 || present == (wanted | added)) return;
  epoll_event wish{};
  wish.events = wanted;
  wish.data.u64 = key;
  ::epoll_ctl(poll_, present == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &wish);
  present = wanted | added;
}

void doorkeeper::keeper::watch(visitor& guest) {
  uint32_t outside = 0;
  uint32_t inside = 0;
  if (!guest.in.full() && !guest.in.ended()) outside |= EPOLLIN;
  if (!guest.out.empty()) outside |= EPOLLOUT;
  if (!guest.out.full() && !guest.out.ended()) inside |= EPOLLIN;
  if (!guest.in.empty() || guest.connecting) inside |= EPOLLOUT;
  watch_one(guest.outside, guest.id << 1, outside, guest.watched_outside);
  watch_one(guest.inside, guest.id << 1 | 1, inside, guest.watched_inside);
}

void doorkeeper::keeper::leave(visitor& guest) {
  if (!guest.passed) --stranger_count_;
  --open_;
  close_quietly(guest.outside);
  close_quietly(guest.inside);
  const auto id = guest.id;
  guests_.erase(id);
  if (rests_) attend();
}

void doorkeeper::keeper::refuse(visitor& guest, std::string_view why) {
  ++refused_;
  log_warning("{} was refused: {}", guest.name, why);
  if (untold_++ == 0) first_words_ = fmt::format("{} was refused: {}", guest.name, why);
  leave(guest);
}

void doorkeeper::keeper::close_late() {
  const auto now = steady_clock::now();
  while (!strangers_.empty()) {
    const auto oldest = guests_.find(strangers_.front());
    if (oldest == guests_.end() || oldest->second.passed) {
      strangers_.pop_front();
      continue;
    }
    if (now - oldest->second.since < rules_.handshake_time) return;
    refuse(oldest->second, "it did not finish its handshake in time");
  }
}

void doorkeeper::keeper::tell_refused() {
  const auto now = steady_clock::now();
  if (untold_ == 0 || now - told_ < tell_every) return;
  auto words = std::move(first_words_);
  if (untold_ > 1) words += fmt::format(" (and {} others)", untold_ - 1);
  untold_ = 0;
  told_ = now;
  if (tell_) tell_(std::move(words));
}

doorkeeper::doorkeeper(std::unique_ptr<keeper> inner) : inner_(std::move(inner)) {}
doorkeeper::~doorkeeper() = default;

expected<std::unique_ptr<doorkeeper>> doorkeeper::listen(const net_address& where, door_rules rules) {
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  wish.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  if (const int failed = ::getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &wish, &found);
      failed != 0)
    return fail(ec::usage, fmt::format("--listen {}: {}", to_string(where), ::gai_strerror(failed)));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses{found, &freeaddrinfo};
  int fd = ::socket(found->ai_family, found->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, found->ai_protocol);
  const int one = 1;
  // A coordinator that comes back takes its port at once, though connections of the old one linger.
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (fd < 0 || ::bind(fd, found->ai_addr, found->ai_addrlen) != 0 || ::listen(fd, SOMAXCONN) != 0) {
    const int why = errno;
    close_quietly(fd);
    const auto code = why == EACCES ? ec::permission_denied : why == EADDRNOTAVAIL ? ec::usage : ec::connect_failed;
    return fail(code, fmt::format("cannot listen at {}: {}", to_string(where), std::strerror(why)));
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  auto real = where;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) == 0)
    real.port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                                  : reinterpret_cast<sockaddr_in&>(bound).sin_port);
  return std::unique_ptr<doorkeeper>{new doorkeeper{std::make_unique<keeper>(fd, rules, std::move(real))}};
}

void doorkeeper::open_to(uint16_t port, on_refused tell) { inner_->start(port, std::move(tell)); }
net_address doorkeeper::address() const { return inner_->where(); }
door_counters doorkeeper::counters() const { return inner_->counters(); }

}  // namespace cohort
