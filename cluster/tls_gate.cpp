// Runs the TLS GATE on one thread with epoll. Until its handshake is done, a connection is pending; afterwards it is a
// guest.

#include "cluster/tls_gate.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/log.hpp"
#include "cluster/descriptor_limit.hpp"
#include "cluster/listener.hpp"
#include "cluster/relay.hpp"
#include "cluster/tls.hpp"
#include "cluster/waiting_room.hpp"

namespace cohort::cluster {

namespace {

constexpr milliseconds tell_every{1000};
constexpr uint64_t logged_at_once = 20;  // Refusals; of further ones in this time only the number is logged.
constexpr milliseconds longest_wait{250};
constexpr milliseconds rest_time{500};  // After the system refused a connection.
constexpr int first_words = 3;          // Bytes: the type of a TLS record and its version.
constexpr uint64_t listener_key = 0;
constexpr uint64_t wake_key = 1;
constexpr uint32_t accepted_at_once = 64;  // Then the open connections get their turn.

bool lacks_descriptors(int why) noexcept { return why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM; }

}  // namespace

class tls_gate::loop {
 public:
  loop(descriptor listener, ssl_context_ptr context, gate_rules rules, net_address where)
      : listener_(std::move(listener)),
        context_(std::move(context)),
        rules_(rules),
        where_(std::move(where)),
        poll_(::epoll_create1(EPOLL_CLOEXEC)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
        most_descriptors_(descriptors_to_lend()) {}
  loop(const loop&) = delete;
  loop& operator=(const loop&) = delete;
  ~loop() {
    stopping_ = true;
    wake();
    if (thread_.joinable()) thread_.join();
  }

  [[nodiscard]] bool works() const noexcept { return poll_.valid() && wake_.valid() && spare_.valid(); }
  void start(hand_over give, on_refused tell) {
    give_ = std::move(give);
    tell_ = std::move(tell);
    thread_ = std::thread{[this] { serve(); }};
  }
  void expel(std::string framework_id) {
    {
      const std::lock_guard lock{guard_};
      expelled_.push_back(std::move(framework_id));
    }
    wake();
  }

  [[nodiscard]] const net_address& where() const noexcept { return where_; }
  [[nodiscard]] gate_counters counters() const {
    return {accepted_.load(), passed_.load(), refused_.load(), breaches_.load(), open_.load()};
  }

 private:
  struct visitor {
    uint64_t id = 0;
    visitor_name name;
    steady_time since;
    descriptor outside;           ///< While the handshake is pending.
    ssl_ptr link;                 ///< Of a pending connection that has begun its handshake.
    std::unique_ptr<relay> talk;  ///< Of a guest.
    std::string certificate;      ///< Its digest, of a guest.
    bool greeted = false;
    uint32_t watched_outside = 0;
    uint32_t watched_inside = 0;
  };

  void serve();
  void attend();
  void rest();
  void wake();
  void accept_all();
  bool accept_one();
  void make_room_after(int why);
  void admit(descriptor fd, visitor_name name);
  bool push_out_one(const std::string& host = {});
  void handle(visitor& guest);
  [[nodiscard]] bool begin(visitor& guest);
  void shake(visitor& guest);
  void enter(visitor& guest);
  void move(visitor& guest);
  void expel_all();
  void break_off(visitor& guest, std::string_view why);
  void watch(visitor& guest, uint32_t outside, uint32_t inside);
  void watch_one(int fd, uint64_t key, uint32_t wanted, uint32_t& present);
  void leave(visitor& guest);
  void refuse(visitor& guest, std::string_view why);
  void tell(std::string text);
  void close_late();
  void tell_refused();
  [[nodiscard]] size_t descriptors() const noexcept { return pending_handshakes_.count() + 3 * guest_count_; }

  descriptor listener_;
  ssl_context_ptr context_;
  gate_rules rules_;
  net_address where_;
  descriptor poll_;
  descriptor wake_;
  descriptor spare_;  ///< Closed for a moment to refuse a newcomer when no other descriptor is left.
  size_t most_descriptors_;
  hand_over give_;
  on_refused tell_;
  std::thread thread_;
  std::mutex guard_;
  std::vector<std::string> expelled_;
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> accepted_{0};
  std::atomic<uint64_t> passed_{0};
  std::atomic<uint64_t> refused_{0};
  std::atomic<uint64_t> breaches_{0};
  std::atomic<uint32_t> open_{0};
  std::unordered_map<uint64_t, visitor> visitors_;
  waiting_room pending_handshakes_;
  std::list<uint64_t> silent_;    ///< Guests in order of arrival, until they have sent their hello or left.
  std::vector<uint64_t> busy_;    ///< Have more to be moved.
  std::vector<uint64_t> slowed_;  ///< Sent too many frames in this second.
  steady_time looked_{};          ///< When `slowed_` was last checked.
  std::map<std::pair<std::string, std::string>, uint32_t> breaches_by_;  ///< By certificate and address.
  size_t guest_count_ = 0;
  uint64_t last_id_ = 1;
  std::optional<steady_time> rests_until_;  ///< Until then the listener is not watched.
  std::string first_refusal_;
  uint64_t untold_ = 0;
  steady_time reported_{};
};

void tls_gate::loop::wake() {
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) log_warning("the TLS gate could not be woken");
}

/// Watches the listener.
void tls_gate::loop::attend() {
  rests_until_.reset();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = listener_key;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
}

/// Newcomers wait in the kernel's queue for a while.
void tls_gate::loop::rest() {
  if (!rests_until_) ::epoll_ctl(poll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  rests_until_ = steady_clock::now() + rest_time;
}

void tls_gate::loop::serve() {
  block_broken_pipes();
  attend();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = wake_key;
  ::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
  std::array<epoll_event, 64> ready{};
  while (!stopping_) {
    const auto wait = busy_.empty() ? static_cast<int>(longest_wait.count()) : 0;
    const int count = ::epoll_wait(poll_.get(), ready.data(), static_cast<int>(ready.size()), wait);
    auto due = std::exchange(busy_, {});
    for (int i = 0; i < count; ++i) {
      const auto key = ready[static_cast<size_t>(i)].data.u64;
      if (key == listener_key) accept_all();
      if (key == wake_key) expel_all();
      if (key > wake_key) due.push_back(key >> 1);
    }
    if (const auto now = steady_clock::now(); !slowed_.empty() && now - looked_ >= longest_wait) {
      looked_ = now;
      const auto slowed = std::exchange(slowed_, {});
      due.insert(due.end(), slowed.begin(), slowed.end());
    }
    for (const auto id : due)
      if (const auto guest = visitors_.find(id); guest != visitors_.end()) handle(guest->second);
    close_late();
    tell_refused();
    if (rests_until_ && steady_clock::now() >= *rests_until_) attend();
  }
  while (!visitors_.empty()) leave(visitors_.begin()->second);
}

void tls_gate::loop::accept_all() {
  for (uint32_t i = 0; i < accepted_at_once && !rests_until_; ++i)
    if (!accept_one()) return;
}

/// False if no other connection waits, or no other can be accepted now.
bool tls_gate::loop::accept_one() {
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  descriptor fd{::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_NONBLOCK | SOCK_CLOEXEC)};
  if (!fd.valid()) {
    const int why = errno;
    if (why == EAGAIN) return false;
    if (why == EINTR || why == ECONNABORTED) return true;
    make_room_after(why);
    return !rests_until_;
  }
  ++accepted_;
  admit(std::move(fd), name_of(peer, size));
  return true;
}

/// If there are no descriptors left, the connection that has waited longest without a handshake is closed. If there is
/// none, the newcomer is refused with the spare descriptor, and the gate rests.
void tls_gate::loop::make_room_after(int why) {
  if (lacks_descriptors(why) && push_out_one()) return;
  if (lacks_descriptors(why) && spare_.valid()) {
    spare_.close();
    const descriptor away{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  }
  if (!spare_.valid()) spare_ = descriptor{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  log_warning("a connection could not be accepted: {}; newcomers wait", std::strerror(why));
  rest();
}

void tls_gate::loop::admit(descriptor fd, visitor_name name) {
  const int one = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  // The system reports the connection once enough bytes for a check have come.
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVLOWAT, &first_words, sizeof first_words);
  visitor guest;
  guest.id = ++last_id_;
  guest.outside = std::move(fd);
  guest.since = steady_clock::now();
  guest.name = std::move(name);
  auto& kept = visitors_.emplace(guest.id, std::move(guest)).first->second;
  pending_handshakes_.enter(kept.id, kept.name.host, kept.since);
  ++open_;
  watch(kept, EPOLLIN, 0);
  const auto host = kept.name.host;  // The newcomer itself may be the one that is closed.
  if (pending_handshakes_.count_from(host) > rules_.most_pending_handshakes_each) push_out_one(host);
  while ((pending_handshakes_.count() > rules_.most_pending_handshakes || descriptors() > most_descriptors_) &&
         push_out_one()) {
  }
}

/// Closes one pending connection to make room. False if none is pending.
bool tls_gate::loop::push_out_one(const std::string& host) {
  const auto chosen = pending_handshakes_.first_to_go(host);
  if (!chosen) return false;
  refuse(visitors_.at(*chosen), "it had not finished its handshake when others came");
  return true;
}

void tls_gate::loop::handle(visitor& guest) {
  if (guest.talk)
    move(guest);
  else
    shake(guest);
}

/// Checks the first bytes. False if the handshake cannot go on yet.
bool tls_gate::loop::begin(visitor& guest) {
  char head[first_words];
  const auto got = ::recv(guest.outside.get(), head, sizeof head, MSG_PEEK);
  if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return leave(guest), false;
  if (got < 0) return false;
  if (!may_be_hello({head, static_cast<size_t>(got)})) return refuse(guest, "it does not speak TLS"), false;
  if (got < static_cast<ssize_t>(sizeof head)) {
    watch(guest, 0, 0);  // The peer has ended its side; the deadline ends the rest.
    return false;
  }
  const int one = 1;
  ::setsockopt(guest.outside.get(), SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
  guest.link.reset(SSL_new(context_.get()));
  if (guest.link && SSL_set_fd(guest.link.get(), guest.outside.get()) == 1) {
    pending_handshakes_.begun(guest.id);
    return true;
  }
  ERR_clear_error();
  leave(guest);
  return false;
}

void tls_gate::loop::shake(visitor& guest) {
  if (!guest.link && !begin(guest)) return;
  ERR_clear_error();
  switch (tls_step_of(*guest.link, SSL_accept(guest.link.get()))) {
    case tls_step::done: return enter(guest);
    case tls_step::wants_read: return watch(guest, EPOLLIN, 0);
    case tls_step::wants_write: return watch(guest, EPOLLOUT, 0);
    case tls_step::over: break;
  }
  const auto why = why_refused(*guest.link);
  ERR_clear_error();
  why.empty() ? leave(guest) : refuse(guest, why);
}

/// Its certificate is one of this cluster. The framework gets its end of the connection.
void tls_gate::loop::enter(visitor& guest) {
  const auto shown = certificate_of(*guest.link);
  guest.certificate = shown.digest;
  guest.name.whole += fmt::format(" (certificate '{}')", shown.name);
  if (const auto known = breaches_by_.find({shown.digest, guest.name.host});
      known != breaches_by_.end() && known->second >= rules_.breaches_until_refused)
    return refuse(guest, "it broke the protocol too often");
  if (guest_count_ >= rules_.most_guests) return refuse(guest, "too many nodes are connected");
  const auto id = guest.id;
  while (descriptors() + 2 > most_descriptors_ && push_out_one())
    if (!visitors_.contains(id)) return;
  if (descriptors() + 2 > most_descriptors_) return refuse(guest, "no descriptor is left for it");
  auto talk = std::make_unique<relay>(std::move(guest.outside), std::move(guest.link), cluster_side::coordinator);
  auto framework = talk->open_inside();
  pending_handshakes_.leave(id);
  ++guest_count_;
  ++passed_;
  guest.talk = std::move(talk);
  guest.since = steady_clock::now();
  silent_.push_back(id);
  if (!framework) {
    log_warning("{}: {}", guest.name.whole, framework.error().message);
    return leave(guest);
  }
  give_(std::move(*framework));
  move(guest);
}

void tls_gate::loop::move(visitor& guest) {
  const auto now = steady_clock::now();
  const auto how = guest.talk->move(now);
  guest.greeted = guest.greeted || guest.talk->guard().greeted();
  switch (how) {
    case relay::state::over: return leave(guest);
    case relay::state::breach:
      ++breaches_by_[{guest.certificate, guest.name.host}];
      return break_off(guest, "what it sends is nothing that a node says");
    case relay::state::goes_on: break;
  }
  if (guest.talk->busy()) busy_.push_back(guest.id);
  if (guest.talk->slowed()) slowed_.push_back(guest.id);
  const auto interest = guest.talk->wants(now);
  watch(guest, (interest.read_outside ? EPOLLIN : 0U) | (interest.write_outside ? EPOLLOUT : 0U),
        (interest.read_inside ? EPOLLIN : 0U) | (interest.write_inside ? EPOLLOUT : 0U));
}

void tls_gate::loop::expel_all() {
  uint64_t count = 0;
  if (::read(wake_.get(), &count, sizeof count) < 0 && errno != EAGAIN) log_warning("the TLS gate's bell is broken");
  std::vector<std::string> named;
  {
    const std::lock_guard lock{guard_};
    named = std::exchange(expelled_, {});
  }
  for (const auto& id : named)
    for (auto it = visitors_.begin(); it != visitors_.end();) {
      auto& guest = (it++)->second;
      if (!guest.talk || guest.talk->guard().peer() != id) continue;
      ++breaches_by_[{guest.certificate, guest.name.host}];
      ++breaches_;
      log_warning("{} was cut off", guest.name.whole);
      leave(guest);
    }
}

void tls_gate::loop::break_off(visitor& guest, std::string_view why) {
  ++breaches_;
  tell(fmt::format("{} was cut off: {}", guest.name.whole, why));
  leave(guest);
}

void tls_gate::loop::watch_one(int fd, uint64_t key, uint32_t wanted, uint32_t& present) {
  constexpr uint32_t added = 1U << 31;  // Registered with epoll at all: zero interest is a registration, too.
  if (fd < 0 || present == (wanted | added)) return;
  epoll_event event{};
  event.events = wanted;
  event.data.u64 = key;
  ::epoll_ctl(poll_.get(), present == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event);
  present = wanted | added;
}

void tls_gate::loop::watch(visitor& guest, uint32_t outside, uint32_t inside) {
  watch_one(guest.talk ? guest.talk->outside() : guest.outside.get(), guest.id << 1, outside, guest.watched_outside);
  if (guest.talk) watch_one(guest.talk->inside(), guest.id << 1 | 1, inside, guest.watched_inside);
}

void tls_gate::loop::leave(visitor& guest) {
  if (guest.talk) --guest_count_;
  pending_handshakes_.leave(guest.id);
  --open_;
  visitors_.erase(guest.id);
}

void tls_gate::loop::refuse(visitor& guest, std::string_view why) {
  ++refused_;
  tell(fmt::format("{} was refused: {}", guest.name.whole, why));
  leave(guest);
}

void tls_gate::loop::tell(std::string text) {
  if (untold_ < logged_at_once) log_warning("{}", text);  // A flood must not fill the disk.
  if (untold_++ == 0) first_refusal_ = std::move(text);
}

void tls_gate::loop::close_late() {
  const auto now = steady_clock::now();
  while (const auto late = pending_handshakes_.overdue(now, rules_.handshake_time))
    refuse(visitors_.at(*late), "it did not finish its handshake in time");
  while (!silent_.empty()) {
    const auto oldest = visitors_.find(silent_.front());
    if (oldest == visitors_.end() || oldest->second.greeted) {
      silent_.pop_front();
      continue;
    }
    if (now - oldest->second.since < rules_.handshake_time) break;
    refuse(oldest->second, "it did not say in time who it is");
  }
}

void tls_gate::loop::tell_refused() {
  const auto now = steady_clock::now();
  if (untold_ == 0 || now - reported_ < tell_every) return;
  auto text = std::move(first_refusal_);
  if (untold_ > 1) text += fmt::format(" (and {} others)", untold_ - 1);
  untold_ = 0;
  reported_ = now;
  if (tell_) tell_(std::move(text));
}

tls_gate::tls_gate(std::unique_ptr<loop> inner) : inner_(std::move(inner)) {}
tls_gate::~tls_gate() = default;

expected<std::unique_ptr<tls_gate>> tls_gate::listen(const net_address& where,
                                                     const std::shared_ptr<const cluster_credentials>& own,
                                                     gate_rules rules) {
  auto context = make_tls_context(*own, cluster_side::coordinator);
  if (!context) return fail(ec::io, "cannot prepare TLS: " + openssl_message());
  raise_descriptor_limit();
  auto port = listen_at(where);
  if (!port) return tl::unexpected{port.error()};
  auto inner = std::make_unique<loop>(std::move(port->fd), std::move(context), rules, std::move(port->where));
  if (!inner->works()) return fail(ec::io, "cannot listen: no descriptor is left");
  return std::unique_ptr<tls_gate>{new tls_gate{std::move(inner)}};
}

void tls_gate::open_to(hand_over give, on_refused tell) { inner_->start(std::move(give), std::move(tell)); }
void tls_gate::expel(std::string framework_id) { inner_->expel(std::move(framework_id)); }
net_address tls_gate::address() const { return inner_->where(); }
gate_counters tls_gate::counters() const { return inner_->counters(); }

}  // namespace cohort::cluster
